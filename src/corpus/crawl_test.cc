// The crawl stage: archives of every kind, hostile ones, downloads from a loopback server that fails on purpose, a
// crate index, pinned git commits, and the second run that changes nothing.
#include <archive.h>
#include <archive_entry.h>
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/process.h"
#include "corpus/crates_index.h"
#include "corpus/crawl.h"
#include "corpus/raw_store.h"
#include "formats/manifest.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

struct QuietLog {
  QuietLog() { SetLogLevel(LogLevel::kError); }
  ~QuietLog() { SetLogLevel(LogLevel::kInfo); }
};

struct Entry {
  std::string path, content, symlink, hardlink;
};

// Writes an archive in a libarchive format ("gnutar", "zip", ...) with a filter ("none", "gzip", "xz", "zstd").
void WriteArchive(const fs::path& path, const std::vector<Entry>& entries, const char* format = "gnutar",
                  const char* filter = "gzip") {
  struct archive* out = archive_write_new();
  REQUIRE(archive_write_set_format_by_name(out, format) == ARCHIVE_OK);
  if (std::string(filter) != "none") REQUIRE(archive_write_add_filter_by_name(out, filter) >= ARCHIVE_WARN);
  REQUIRE(archive_write_open_filename(out, path.c_str()) == ARCHIVE_OK);
  for (const auto& item : entries) {
    struct archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, item.path.c_str());
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_filetype(entry, item.symlink.empty() ? AE_IFREG : AE_IFLNK);
    if (!item.symlink.empty()) archive_entry_set_symlink(entry, item.symlink.c_str());
    if (!item.hardlink.empty()) archive_entry_set_hardlink(entry, item.hardlink.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(item.hardlink.empty() ? item.content.size() : 0));
    REQUIRE(archive_write_header(out, entry) >= ARCHIVE_WARN);
    if (item.hardlink.empty()) archive_write_data(out, item.content.data(), item.content.size());
    archive_entry_free(entry);
  }
  archive_write_close(out);
  archive_write_free(out);
}

const std::vector<Entry> kCrate = {
    {"demo-1.0/src/lib.rs", "pub fn one() -> u32 { 1 }\n", "", ""},
    {"demo-1.0/Cargo.toml", "[package]\nname = \"demo\"\n", "", ""},
    {"demo-1.0/LICENSE-MIT", "MIT\n", "", ""},
    {"demo-1.0/image.png", "not wanted", "", ""},
    {"demo-1.0/src/copy.rs", "pub fn one() -> u32 { 1 }\n", "", ""},
};

CrawlManifest OneSource(CrawlSource source) {
  CrawlManifest manifest;
  manifest.network.backoff_seconds = 0.01;
  manifest.sources.push_back(std::move(source));
  return manifest;
}

CrawlSource ArchiveSource(const fs::path& path) {
  CrawlSource source;
  source.name = "demo";
  source.kind = "archive";
  source.path = path.string();
  return source;
}

std::map<std::string, std::string> Contents(const fs::path& folder) {
  std::map<std::string, std::string> contents;
  const auto reader = RawStoreReader::Open(folder);
  REQUIRE(reader.ok());
  for (const auto& file : reader->files()) contents[file.path] = *reader->Read(file);
  return contents;
}

TEST_CASE("tar, zip, crate and deb give the same store; the second run changes nothing") {
  const QuietLog quiet;
  const TemporaryFolder folder;
  const fs::path data = folder.path() / "data.tar.xz";
  WriteArchive(folder.path() / "a.tar.gz", kCrate);
  WriteArchive(folder.path() / "a.tar.zst", kCrate, "pax", "zstd");
  WriteArchive(folder.path() / "a.zip", kCrate, "zip", "none");
  WriteArchive(folder.path() / "a.crate", kCrate, "ustar", "gzip");
  std::vector<Entry> package;
  for (auto entry : kCrate) {
    entry.path = "./usr/src/" + entry.path;
    package.push_back(entry);
  }
  package.push_back({"./usr/share/link.rs", "", "/usr/src/demo-1.0/src/lib.rs", ""});
  WriteArchive(data, package, "gnutar", "xz");
  WriteArchive(folder.path() / "a.deb", {{"debian-binary", "2.0\n", "", ""}, {"data.tar.xz", *ReadFile(data), "", ""}},
               "arsvr4", "none");
  for (const char* name : {"a.tar.gz", "a.tar.zst", "a.zip", "a.crate", "a.deb"}) {
    CAPTURE(name);
    const fs::path work = folder.path() / (std::string("work-") + name);
    const auto manifest = OneSource(ArchiveSource(folder.path() / name));
    const auto first = Crawl(manifest, {work, false});
    REQUIRE(first.ok());
    CHECK(first->front().state == "new");
    const auto contents = Contents(work / "raw" / "demo");
    const std::string top = std::string(name) == "a.deb" ? "src/demo-1.0/" : "";
    CHECK(contents.size() == 4);
    CHECK(contents.at(top + "src/lib.rs") == "pub fn one() -> u32 { 1 }\n");
    const std::string before =
        *ReadFile(work / "raw" / "demo" / "manifest.json") + *ReadFile(work / "raw" / "sources.json");
    const auto second = Crawl(manifest, {work, false});
    REQUIRE(second.ok());
    CHECK(second->front().state == "unchanged");
    CHECK(*ReadFile(work / "raw" / "demo" / "manifest.json") + *ReadFile(work / "raw" / "sources.json") == before);
    CHECK(VerifyFolder(work / "raw" / "demo").ok());
  }
}

TEST_CASE("a copy on this machine gives the id that the address gives") {
  const QuietLog quiet;
  const TemporaryFolder folder;
  WriteArchive(folder.path() / "a.tar.gz", kCrate);
  WriteArchive(folder.path() / "other.tar.gz", {kCrate.front()});
  CrawlSource source;
  source.name = "demo";
  source.kind = "archive";
  source.url = {"file://" + (folder.path() / "a.tar.gz").string()};
  source.sha256 = *Sha256HexOfFile(folder.path() / "a.tar.gz");
  const auto fetched = Crawl(OneSource(source), {folder.path() / "work", false});
  REQUIRE(fetched.ok());
  fs::copy_file(folder.path() / "a.tar.gz", folder.path() / "copy.tgz");
  source.path = (folder.path() / "copy.tgz").string();
  const auto copied = Crawl(OneSource(source), {folder.path() / "work2", false});
  REQUIRE(copied.ok());
  CHECK(copied->front().id == fetched->front().id);
  CHECK_FALSE(fs::exists(folder.path() / "work2" / "archives"));
  source.path = (folder.path() / "other.tar.gz").string();
  const auto other = Crawl(OneSource(source), {folder.path() / "work3", false});
  REQUIRE_FALSE(other.ok());
  CHECK(other.error().code == Code::kValidation);
}

TEST_CASE("allow and deny choose by path; without them nothing changes") {
  const QuietLog quiet;
  const TemporaryFolder folder;
  WriteArchive(folder.path() / "a.tar.gz", kCrate);
  CrawlSource source = ArchiveSource(folder.path() / "a.tar.gz");
  const std::string plain = source.Hash();
  source.allow = {"src", "LICENSE"};
  source.deny = {"src/copy.rs"};
  REQUIRE(Crawl(OneSource(source), {folder.path() / "work", false}).ok());
  const auto contents = Contents(folder.path() / "work" / "raw" / "demo");
  CHECK(contents.size() == 2);
  CHECK(contents.contains("src/lib.rs"));
  CHECK(contents.contains("LICENSE-MIT"));
  CHECK(source.Hash() != plain);
  source.allow.clear();
  source.deny.clear();
  CHECK(source.Hash() == plain);
  source.allow = {"nothing/of/it"};
  CHECK_FALSE(Crawl(OneSource(source), {folder.path() / "work2", false}).ok());
}

TEST_CASE("hostile archives are refused by the entry's name and nothing is kept") {
  const QuietLog quiet;
  const TemporaryFolder folder;
  const std::string big(size_t{80} << 20, 'x');
  const std::vector<std::pair<Entry, std::string>> cases = {
      {{"../evil.rs", "x", "", ""}, "climbs out"},
      {{"a/../../evil.rs", "x", "", ""}, "climbs out"},
      {{"/etc/evil.rs", "x", "", ""}, "absolute"},
      {{"a/link.rs", "", "../../etc/passwd", ""}, "leads outside"},
      {{"a/link.rs", "", "/etc/passwd", ""}, "leads outside"},
      {{"a/hard.rs", "", "", "../../etc/passwd"}, "leads outside"},
      {{std::string("a/") + std::string(2000, 'n') + ".rs", "x", "", ""}, "over-long"},
      {{"a/\033[31m.rs", "x", "", ""}, "control characters"},
      {{"a/b\\c.rs", "x", "", ""}, "backslash"},
      {{"a/bomb.txt", big, "", ""}, "times its size"},
  };
  for (const auto& [entry, reason] : cases) {
    CAPTURE(reason);
    WriteArchive(folder.path() / "bad.tar.gz", {kCrate[0], entry});
    const fs::path work = folder.path() / "work";
    const auto result = Crawl(OneSource(ArchiveSource(folder.path() / "bad.tar.gz")), {work, false});
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == Code::kValidation);
    CHECK(result.error().what.find(reason) != std::string::npos);
    CHECK(result.error().where.find("bad.tar.gz: ") != std::string::npos);
    CHECK_FALSE(fs::exists(work / "raw" / "demo"));
    CHECK_FALSE(fs::exists(work / "raw" / "demo.partial"));
  }
  CHECK_FALSE(fs::exists(folder.path() / "evil.rs"));
  CHECK_FALSE(fs::exists(folder.path().parent_path() / "evil.rs"));

  auto limited = OneSource(ArchiveSource(folder.path() / "good.tar.gz"));
  WriteArchive(folder.path() / "good.tar.gz", kCrate);
  limited.limits.max_entries = 2;
  CHECK_FALSE(Crawl(limited, {folder.path() / "work", false}).ok());
  const std::string good = *ReadFile(folder.path() / "good.tar.gz");
  REQUIRE(WriteFileAtomic(folder.path() / "cut.tar.gz", good.substr(0, good.size() / 2)).ok());
  CHECK_FALSE(Crawl(OneSource(ArchiveSource(folder.path() / "cut.tar.gz")), {folder.path() / "work", false}).ok());
  REQUIRE(WriteFileAtomic(folder.path() / "text.tar", "this is no archive").ok());
  CHECK_FALSE(Crawl(OneSource(ArchiveSource(folder.path() / "text.tar")), {folder.path() / "work", false}).ok());
}

TEST_CASE("a folder is taken in without its links, .git and target") {
  const QuietLog quiet;
  const TemporaryFolder folder;
  const fs::path root = folder.path() / "project";
  for (const char* name : {"src", ".git", "target/debug"}) REQUIRE(MakeFolder(root / name).ok());
  REQUIRE(WriteFileAtomic(root / "src" / "main.rs", "fn main() {}\n").ok());
  REQUIRE(WriteFileAtomic(root / ".git" / "x.rs", "no").ok());
  REQUIRE(WriteFileAtomic(root / "target" / "debug" / "y.rs", "no").ok());
  fs::create_symlink("/etc/passwd", root / "src" / "passwd.rs");
  const auto manifest = OpenCrawlSource(root);
  REQUIRE(manifest.ok());
  const fs::path work = folder.path() / "work";
  REQUIRE(Crawl(*manifest, {work, false}).ok());
  CHECK(Contents(work / "raw" / "project").size() == 1);
  CHECK(Crawl(*manifest, {work, false})->front().state == "unchanged");
  REQUIRE(WriteFileAtomic(root / "src" / "main.rs", "fn main() { }\n").ok());
  CHECK(Crawl(*manifest, {work, false})->front().state == "new");
}

// A loopback HTTP/1.1 server for a bounded number of requests: `answer` gets the path and the Range offset (or -1).
class LoopbackServer {
 public:
  struct Reply {
    int code = 200;
    std::string body;
    size_t cut = std::string::npos;  // close the connection after this many bytes of the body
  };
  explicit LoopbackServer(std::function<Reply(const std::string& path, int64_t offset)> answer)
      : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_, 8) == 0);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~LoopbackServer() {
    ::shutdown(listener_, SHUT_RDWR);
    ::close(listener_);
    thread_.join();
  }
  std::string Url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  int requests() const { return requests_; }

 private:
  void Serve() {
    while (requests_ < 1000) {
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      ++requests_;
      std::string request;
      char buffer[4096];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = ::read(client, buffer, sizeof buffer);
        if (got <= 0) break;
        request.append(buffer, static_cast<size_t>(got));
      }
      const size_t begin = request.find(' ') + 1;
      const std::string path = request.substr(begin, request.find(' ', begin) - begin);
      const size_t range = request.find("Range: bytes=");
      const int64_t offset = range == std::string::npos ? -1 : std::stoll(request.substr(range + 13));
      const Reply reply = answer_(path, offset);
      const std::string body =
          offset > 0 && reply.code == 206 ? reply.body.substr(static_cast<size_t>(offset)) : reply.body;
      std::string head = "HTTP/1.1 " + std::to_string(reply.code) +
                         " x\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
      if (reply.code == 206) {
        head += "Content-Range: bytes " + std::to_string(offset) + "-" + std::to_string(reply.body.size() - 1) + "/" +
                std::to_string(reply.body.size()) + "\r\n";
      }
      const std::string all = head + "\r\n" + body.substr(0, reply.cut);
      for (size_t sent = 0; sent < all.size();) {
        const ssize_t put = ::send(client, all.data() + sent, all.size() - sent, MSG_NOSIGNAL);
        if (put <= 0) break;
        sent += static_cast<size_t>(put);
      }
      ::close(client);
    }
  }
  std::function<Reply(const std::string&, int64_t)> answer_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<int> requests_{0};
  std::thread thread_;
};

TEST_CASE("a broken download goes on where it stopped, server errors are retried, a wrong hash is refused") {
  const QuietLog quiet;
  const TemporaryFolder folder;
  std::string body;
  for (int i = 0; i < 50000; ++i) body += std::to_string(i) + ' ';
  std::atomic<int> calls{0};
  std::atomic<int64_t> resumed_from{-1};
  LoopbackServer server([&](const std::string& path, int64_t offset) -> LoopbackServer::Reply {
    const int call = ++calls;
    if (path == "/missing") return {404, "no", std::string::npos};
    if (call == 1) return {503, "later", std::string::npos};
    if (call == 2) return {200, body, 100000};
    resumed_from = offset;
    return {offset > 0 ? 206 : 200, body, std::string::npos};
  });
  FetchOptions options;
  options.backoff_seconds = 0.01;
  const auto path = FetchToStore({server.Url("/file")}, Sha256Hex(body), folder.path(), options);
  REQUIRE(path.ok());
  CHECK(*ReadFile(*path) == body);
  CHECK(resumed_from > 0);
  CHECK(calls == 3);
  CHECK(FetchToStore({server.Url("/file")}, Sha256Hex(body), folder.path(), options).ok());
  CHECK(calls == 3);  // already in the store

  const auto wrong = FetchToStore({server.Url("/file")}, std::string(64, 'a'), folder.path(), options);
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().code == Code::kValidation);
  const int before = calls;
  const auto missing = FetchToStore({server.Url("/missing")}, "", folder.path(), options);
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == Code::kRuntime);
  CHECK(missing.error().what.find("404") != std::string::npos);
  CHECK(calls == before + 1);  // a 404 is not retried
  CHECK(FetchToStore({server.Url("/missing"), server.Url("/file")}, Sha256Hex(body), folder.path() / "second", options)
            .ok());
  CHECK_FALSE(FetchToStore({"ftp://127.0.0.1/x"}, "", folder.path(), options).ok());
}

TEST_CASE("without a pinned hash a download does not go on from what an earlier one left") {
  const QuietLog quiet;
  const TemporaryFolder folder;
  const std::string body(10000, 'b');
  LoopbackServer server([&](const std::string&, int64_t offset) -> LoopbackServer::Reply {
    return {offset > 0 ? 206 : 200, body, std::string::npos};
  });
  const std::string url = server.Url("/file");
  FetchOptions options;
  options.max_bytes = 10000;
  REQUIRE(WriteFileAtomic(folder.path() / (Sha256Hex(url) + ".part"), "older").ok());
  const auto path = FetchToStore({url}, "", folder.path(), options);
  REQUIRE(path.ok());
  CHECK(*ReadFile(*path) == body);
  // The limit counts what is there already.
  const std::string pin = Sha256Hex(body);
  options.max_bytes = 9999;
  options.attempts = 1;
  fs::remove(folder.path() / pin);
  REQUIRE(WriteFileAtomic(folder.path() / (pin + ".part"), body.substr(0, 100)).ok());
  CHECK_FALSE(FetchToStore({url}, pin, folder.path(), options).ok());
}

TEST_CASE("a crate comes from a sparse index with its checksum") {
  const QuietLog quiet;
  const TemporaryFolder folder;
  WriteArchive(folder.path() / "demo.crate", kCrate);
  const std::string crate = *ReadFile(folder.path() / "demo.crate");
  std::string served = crate;
  std::string base;
  LoopbackServer server([&](const std::string& path, int64_t) -> LoopbackServer::Reply {
    if (path == "/config.json") return {200, "{\"dl\":\"" + base + "/crates\"}", std::string::npos};
    if (path == "/de/mo/demo") {
      const auto line = [&](const char* version, const char* yanked) {
        return std::string("{\"name\":\"demo\",\"vers\":\"") + version + "\",\"cksum\":\"" + Sha256Hex(crate) +
               "\",\"yanked\":" + yanked + "}\n";
      };
      return {200,
              line("0.9.0", "false") + line("0.10.0", "false") + line("0.11.0", "true") + line("1.0.0-rc.1", "false"),
              std::string::npos};
    }
    if (path == "/crates/demo/0.10.0/download") return {200, served, std::string::npos};
    return {404, "", std::string::npos};
  });
  base = server.Url("");
  FetchOptions options;
  options.backoff_seconds = 0.01;
  CHECK(FindCrate(base, "demo", options)->version == "0.10.0");
  CHECK(FindCrate(base, "demo@0.9.0", options)->version == "0.9.0");
  CHECK_FALSE(FindCrate(base, "demo@3.0.0", options).ok());
  CHECK_FALSE(FindCrate(base, "../demo", options).ok());
  CHECK(CrateIndexPath("Serde") == "se/rd/serde");
  CHECK(CrateIndexPath("nom") == "3/n/nom");
  CHECK(CrateIndexPath("cc") == "2/cc");

  CrawlSource source;
  source.name = "crates";
  source.kind = "crates";
  source.index = base;
  source.crates = {"demo"};
  const fs::path work = folder.path() / "work";
  REQUIRE(Crawl(OneSource(source), {work, false}).ok());
  CHECK(Contents(work / "raw" / "crates").contains("demo-0.10.0/demo-1.0/src/lib.rs"));
  served = "something else";
  const auto tampered = Crawl(OneSource(source), {folder.path() / "work2", false});
  REQUIRE_FALSE(tampered.ok());
  CHECK(tampered.error().code == Code::kValidation);
}

TEST_CASE("git: exactly the pinned commit, or an error") {
  const QuietLog quiet;
  if (!ProgramExists("git")) return;
  const TemporaryFolder folder;
  const fs::path repository = folder.path() / "repo";
  REQUIRE(MakeFolder(repository).ok());
  ProcessOptions options;
  options.folder = repository;
  options.environment = {"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b",
                         "GIT_CONFIG_GLOBAL=/dev/null"};
  const auto git = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "git");
    const auto result = RunProcess(words, options);
    REQUIRE(result.ok());
    REQUIRE_MESSAGE(result->exit_status == 0, result->err);
    return result->out;
  };
  git({"init", "-q"});
  REQUIRE(WriteFileAtomic(repository / "lib.rs", "first\n").ok());
  git({"add", "."});
  git({"commit", "-qm", "first"});
  const std::string first = git({"rev-parse", "HEAD"}).substr(0, 40);
  REQUIRE(WriteFileAtomic(repository / "lib.rs", "second\n").ok());
  git({"commit", "-qam", "second"});
  CrawlSource source;
  source.name = "repo";
  source.kind = "git";
  source.url = {"file://" + repository.string()};
  source.commit = first;
  const fs::path work = folder.path() / "work";
  const auto done = Crawl(OneSource(source), {work, false});
  REQUIRE_MESSAGE(done.ok(), done.error().Message());
  CHECK(Contents(work / "raw" / "repo").at("lib.rs") == "first\n");
  source.commit = std::string(40, '0');
  CHECK_FALSE(Crawl(OneSource(source), {folder.path() / "work2", false}).ok());
}

TEST_CASE("an optional source may fail, a repeated one is named, all failing is an error") {
  const QuietLog quiet;
  const TemporaryFolder folder;
  WriteArchive(folder.path() / "a.tar.gz", kCrate);
  auto manifest = OneSource(ArchiveSource(folder.path() / "a.tar.gz"));
  CrawlSource again = manifest.sources[0];
  again.name = "again";
  CrawlSource gone = manifest.sources[0];
  gone.name = "gone";
  gone.path = "/nowhere.tar";
  gone.optional = true;
  manifest.sources.push_back(again);
  manifest.sources.push_back(gone);
  const auto done = Crawl(manifest, {folder.path() / "work", false});
  REQUIRE(done.ok());
  CHECK((*done)[1].state == "duplicate of demo");
  CHECK((*done)[2].state.starts_with("left out"));
  CHECK_FALSE(Crawl(OneSource(gone), {folder.path() / "work2", false}).ok());
  const auto dry = Crawl(manifest, {folder.path() / "work3", true});
  REQUIRE(dry.ok());
  CHECK_FALSE(fs::exists(folder.path() / "work3"));
}

TEST_CASE("a crawl manifest names what is wrong with it") {
  const auto message = [](const std::string& text) {
    const auto manifest = ParseCrawlManifest(text, "m.toml");
    REQUIRE_FALSE(manifest.ok());
    CHECK(manifest.error().code == Code::kConfig);
    return manifest.error().Message() + " | " + manifest.error().hint;
  };
  CHECK(message("") == "m.toml: no [[source]] is listed | ");
  CHECK(message("[[source]]\nname=\"a\"\nkind=\"archive\"\nulr=[\"x\"]\n") ==
        "m.toml:1: unknown key 'ulr' | did you mean 'url'?");
  CHECK(message("[[source]]\nname=\"../a\"\nkind=\"archive\"\npath=\"x\"\n").find("letters, digits") !=
        std::string::npos);
  CHECK(message("[[source]]\nname=\"a\"\nkind=\"archive\"\n").find("needs url or path") != std::string::npos);
  CHECK(message("[[source]]\nname=\"a\"\nkind=\"git\"\nurl=[\"u\"]\ncommit=\"main\"\n").find("40 hexadecimal") !=
        std::string::npos);
  CHECK(message("[[source]]\nname=\"a\"\nkind=\"tape\"\n").find("not one of") != std::string::npos);
  const std::string good = "[[source]]\nname=\"a\"\nkind=\"archive\"\npath=\"x\"\n";
  CHECK(message(good + good).find("stands twice") != std::string::npos);
  CHECK(message("[limits]\nmax_entrys = 3\n" + good).find("did you mean 'limits.max_entries'?") != std::string::npos);
  CHECK(ParseCrawlManifest(good, "m.toml").ok());
  CHECK_FALSE(OpenCrawlSource("/nowhere/at/all").ok());
  // The recipes of the shipped models rest on the identities of these two.
  const fs::path shipped = fs::path(PINTLE_SOURCE_DIR) / "configs" / "m31r";
  CHECK(OpenCrawlSource(shipped / "corpus-demo.toml")->sources.front().Hash() ==
        "0c396633077c0de650e1eb5acc0ec000b610b569e154fd312e9f1d68e45f05d3");
  CHECK(OpenCrawlSource(shipped / "corpus-debian.toml")->sources.front().Hash() ==
        "367cf11b01d1aaf969638321bc0916e79b487f2ceeca79143a7fabe76c45590c");
}

TEST_CASE("a damaged raw store is refused") {
  const TemporaryFolder folder;
  auto writer = RawStoreWriter::Create(folder.path());
  REQUIRE(writer.ok());
  REQUIRE(writer->Add("b.rs", "bbb").ok());
  REQUIRE(writer->Add("a.rs", "aaa").ok());
  REQUIRE(writer->Add("b.rs", "newer").ok());
  REQUIRE(writer->Finish().ok());
  const auto contents = Contents(folder.path());
  CHECK(contents.at("a.rs") == "aaa");
  CHECK(contents.at("b.rs") == "newer");
  fs::resize_file(folder.path() / "files.pack", 4);
  const auto reader = RawStoreReader::Open(folder.path());
  REQUIRE_FALSE(reader.ok());
  CHECK(reader.error().code == Code::kValidation);
}

}  // namespace
}  // namespace pintle
