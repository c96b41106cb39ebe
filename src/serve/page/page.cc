#include "serve/page/page.h"

#include <algorithm>
#include <map>

#include "base/hash.h"
#include "serve/http/text.h"
#include "serve/page/page_files.h"

namespace pintle {
namespace {

// What the page may do: run its own files, talk to this server, show what it made itself. A text of a model that became
// markup, against all intent, could load nothing and tell nobody. Trusted types: no string becomes markup, but through
// Svelte's own templates.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; media-src "
    "blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types svelte-trusted-html";

constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {".html", "text/html; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},   {".svg", "image/svg+xml"},
    {".txt", "text/plain; charset=utf-8"},
};

std::string_view TypeOf(std::string_view path) {
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

struct Entry {
  const PageFile* file;
  std::string etag;  // of the plain form; the packed one's ends in -gz
};

const std::map<std::string_view, Entry>& Entries() {
  static const std::map<std::string_view, Entry> kEntries = [] {
    std::map<std::string_view, Entry> entries;
    for (const PageFile& file : PageFiles()) {
      const Entry entry = {&file, Sha256Hex(file.plain.text()).substr(0, 32)};
      entries.emplace(file.path, entry);
      if (file.path == "/index.html") entries.emplace("/", entry);
    }
    return entries;
  }();
  return kEntries;
}

// The items of a list such as "gzip, br;q=0.5", without their parameters, to which q=0 says no.
bool ListHas(const std::string* list, std::string_view wanted) {
  std::string_view rest = list == nullptr ? std::string_view() : std::string_view(*list);
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view item = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const size_t semicolon = std::min(item.find(';'), item.size());
    if (!EqualIgnoringCase(Trimmed(item.substr(0, semicolon)), wanted)) continue;
    const std::string_view weight = Trimmed(item.substr(std::min(semicolon + 1, item.size())));
    return weight.substr(0, 3) != "q=0" || weight.find_first_of("123456789") != std::string_view::npos;
  }
  return false;
}

bool Matches(const std::string* if_none_match, std::string_view etag) {
  return if_none_match != nullptr && (*if_none_match == "*" || if_none_match->find(etag) != std::string::npos);
}

}  // namespace

bool ServePage(const HttpRequest& request, HttpResponse& response) {
  const auto found = Entries().find(request.path);
  if (found == Entries().end()) return false;
  if (request.method != "GET") {
    SendHttpError(response, 405, "this path is for GET", "method_not_allowed", {}, {{"allow", "GET, HEAD, OPTIONS"}});
    return true;
  }
  const auto& [file, hash] = found->second;
  const bool packed = ListHas(request.Header("accept-encoding"), "gzip");
  const std::string etag = "\"" + hash + (packed ? "-gz\"" : "\"");
  const bool named_by_hash = file->path.starts_with("/assets/");
  std::vector<HttpHeader> headers = {
      {"etag", etag},
      {"vary", "accept-encoding"},
      {"cache-control", named_by_hash ? "public, max-age=31536000, immutable" : "no-cache"},
  };
  if (Matches(request.Header("if-none-match"), etag)) {
    response.Send(304, std::move(headers), {});
    return true;
  }
  headers.push_back({"content-type", std::string(TypeOf(file->path))});
  if (packed) headers.push_back({"content-encoding", "gzip"});
  headers.push_back({"content-security-policy", std::string(kPolicy)});
  headers.push_back({"referrer-policy", "no-referrer"});
  headers.push_back({"cross-origin-opener-policy", "same-origin"});
  headers.push_back({"cross-origin-resource-policy", "same-origin"});
  headers.push_back({"permissions-policy", "camera=(), microphone=(), geolocation=()"});
  response.Send(200, std::move(headers), std::string((packed ? file->packed : file->plain).text()));
  return true;
}

std::vector<std::string> PagePaths() {
  std::vector<std::string> paths;
  for (const auto& [path, entry] : Entries()) paths.emplace_back(path);
  return paths;
}

}  // namespace pintle
