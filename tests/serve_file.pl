#!/usr/bin/perl
# serve_file.pl FILE PORT_FILE: an HTTP server on 127.0.0.1 for tests of downloads. Any path ending in good.gguf is FILE, with
# Range and If-Range, and the connection breaks once in the middle; gated.gguf needs the token "open"; html.gguf is a web
# page of FILE's size; the rest is 404. Its port goes into PORT_FILE; requests are listed on stdout.
use strict;
use warnings;
use IO::Socket::INET;

my ($file, $port_file) = @ARGV;
open(my $in, '<:raw', $file) or die;
my $body = do { local $/; <$in> };
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 8) or die;
open(my $out, '>', "$port_file.new") or die;
print $out $server->sockport;
close $out;
rename("$port_file.new", $port_file) or die;
$| = 1;
my $cuts = 1;
while (my $client = $server->accept) {
  my $head = '';
  while ($head !~ /\r\n\r\n/) { sysread($client, $head, 4096, length $head) or last; }
  my ($path) = $head =~ m{^GET (\S+)} or next;
  my ($offset) = $head =~ /\r\nRange: bytes=(\d+)-/;
  my ($token) = $head =~ /\r\nAuthorization: Bearer (\S+)/;
  print "$path ", $offset // '-', "\n";
  my ($status, $bytes, $more) = ('200 OK', $body, "ETag: \"1\"\r\n");
  if ($path =~ /gated\.gguf$/ && ($token // '') ne 'open') { ($status, $bytes) = ('401 Unauthorized', ''); }
  elsif ($path =~ /html\.gguf$/) { $bytes = '<' x length $body; }
  elsif ($path !~ /(good|gated)\.gguf$/) { ($status, $bytes) = ('404 Not Found', 'no'); }
  elsif (defined $offset && $head =~ /\r\nIf-Range: "1"\r\n/) {
    $status = '206 Partial Content';
    $more .= sprintf("Content-Range: bytes %d-%d/%d\r\n", $offset, length($body) - 1, length $body);
    $bytes = substr($body, $offset);
  }
  my $length = length $bytes;
  $bytes = substr($bytes, 0, $length / 2) if $path =~ /good\.gguf$/ && $cuts-- > 0;
  print $client "HTTP/1.1 $status\r\nConnection: close\r\nContent-Length: $length\r\n$more\r\n$bytes";
  close $client;
}
