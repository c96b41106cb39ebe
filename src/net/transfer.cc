#include "net/transfer.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

namespace pintle {
namespace {

constexpr const char* kUserAgent = "pintle";
constexpr int64_t kErrorPage = int64_t{1} << 20;  // bytes of an answer nobody wants, read before giving up

// The parts of an address that decide who is spoken to.
struct Origin {
  std::string scheme, host, port;
  bool operator==(const Origin&) const = default;
};

std::optional<Origin> OriginOf(const std::string& url) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> parsed(curl_url(), curl_url_cleanup);
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return std::nullopt;
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return std::string();
    std::string copy = text;
    curl_free(text);
    return copy;
  };
  return Origin{part(CURLUPART_SCHEME), part(CURLUPART_HOST), part(CURLUPART_PORT)};
}

bool IsLoopback(const Origin& origin) {
  if (origin.host == "localhost" || origin.host == "[::1]") return true;
  // Numeric only: 127.example.org is somebody else's.
  return origin.host.starts_with("127.") && origin.host.find_first_not_of("0123456789.") == std::string::npos;
}

// Whether one hop may be made at all. `from` is the hop before it.
Status CheckHop(const std::string& url, const std::optional<Origin>& from, const TransferOptions& options) {
  const std::optional<Origin> to = OriginOf(url);
  if (!to) return UsageError("not an address", url, "give https://HOST/PATH");
  if (to->scheme == "file") {
    if (options.local_files && !from) return {};
    return UsageError("addresses of files are not fetched", url);
  }
  if (to->scheme != "https" && to->scheme != "http") return UsageError("the scheme must be https", url);
  if (to->scheme == "https") return {};
  if (from && from->scheme == "https") {
    return RuntimeError("the server sends us from https to http", url, "its answer is not trusted");
  }
  if (options.plain_http) return {};
  // From this machine to this machine; a local server that sends us elsewhere must do so by https.
  if (IsLoopback(*to) && (!from || IsLoopback(*from))) return {};
  return UsageError("the address is not https: anyone on the way could change what arrives", url,
                    "give an https address, or --insecure if you know the way there");
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

int64_t Number(std::string_view text) {
  int64_t value = -1;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size() && value >= 0 ? value : -1;
}

bool IsSha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// The fields of one answer that matter here.
struct Fields {
  int64_t length = -1, range_first = -1, range_total = -1;
  std::string etag, modified, linked_etag;

  void Take(std::string_view line) {
    if (line.starts_with("HTTP/")) *this = {};  // a further answer, behind 100 Continue
    const size_t colon = line.find(':');
    if (colon == line.npos) return;
    const std::string name = Lower(line.substr(0, colon));
    const std::string_view value = Trim(line.substr(colon + 1));
    if (name == "content-length") length = Number(value);
    if (name == "etag") etag = value;
    if (name == "last-modified") modified = value;
    if (name == "x-linked-etag") linked_etag = value;
    if (name == "content-range" && value.starts_with("bytes ")) {  // "bytes 10-99/100"
      const std::string_view range = value.substr(6);
      const size_t dash = range.find('-'), slash = range.find('/');
      if (dash == range.npos || slash == range.npos || slash < dash) return;
      range_first = Number(range.substr(0, dash));
      range_total = Number(range.substr(slash + 1));
    }
  }
};

// One hop: what curl calls back into.
struct Hop {
  const TransferOptions* options = nullptr;
  const TransferSink* sink = nullptr;
  CURL* curl = nullptr;
  std::string linked_sha256;
  Fields fields;
  Status failure;
  bool begun = false;
  int64_t unwanted = 0;

  [[nodiscard]] long Code() const {
    long code = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    return code;
  }

  Status Begin(long code) {
    begun = true;
    TransferHead head;
    head.validator = fields.etag.empty() || fields.etag.starts_with("W/") ? fields.modified : fields.etag;
    head.linked_sha256 = linked_sha256;
    head.total = fields.length;
    if (code == 206) {
      head.offset = fields.range_first;
      head.total = fields.range_total;
      if (head.offset != options->offset) return RuntimeError("the server sends another part than was asked for");
    } else if (code == 0 && options->offset > 0) {  // file://
      head.offset = options->offset;
      head.total = -1;
    }
    return sink->begin(head);
  }

  static bool Wanted(long code) { return code == 200 || code == 206 || code == 0; }

  static size_t Write(char* data, size_t size, size_t count, void* self) {
    auto* hop = static_cast<Hop*>(self);
    const std::string_view bytes(data, size * count);
    if (const long code = hop->Code(); !Wanted(code)) {
      hop->unwanted += static_cast<int64_t>(bytes.size());
      return hop->unwanted > kErrorPage ? 0 : bytes.size();
    } else if (!hop->begun) {
      hop->failure = hop->Begin(code);
    }
    if (hop->failure.ok()) hop->failure = hop->sink->bytes(bytes);
    return hop->failure.ok() ? bytes.size() : 0;
  }
  static size_t Header(char* data, size_t size, size_t count, void* self) {
    static_cast<Hop*>(self)->fields.Take({data, size * count});
    return size * count;
  }
  static int Watch(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    const auto& stop = static_cast<Hop*>(self)->options->stop;
    return stop && stop() ? 1 : 0;
  }
};

void Prepare(CURL* curl, const std::string& url, const TransferOptions& options, Hop& hop, char* message) {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, kUserAgent);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_seconds * 1000));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1000L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(options.stall_seconds)));
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, Hop::Watch);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &hop);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Hop::Write);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &hop);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, Hop::Header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &hop);
  if (IsLoopbackUrl(url)) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
}

TransferOutcome Explain(CURLcode state, const Hop& hop, const std::string& url, const char* message) {
  const long code = hop.Code();
  const int http_status = static_cast<int>(code);
  if (!hop.failure.ok()) {
    Error error = hop.failure.error();
    if (error.where.empty()) error.where = url;
    return {error, false, http_status};
  }
  if (hop.options->stop && hop.options->stop()) {
    return {RuntimeError("interrupted", url, "run the same command again: the download goes on"), false, http_status};
  }
  if (!Hop::Wanted(code)) {
    const bool passing = code == 408 || code == 416 || code == 429 || code >= 500;
    return {RuntimeError("the server answers " + std::to_string(code), url), passing, http_status};
  }
  if (state == CURLE_OK) return {{}, false, http_status};
  const std::string what = message[0] != '\0' ? message : curl_easy_strerror(state);
  const bool hopeless = state == CURLE_URL_MALFORMAT || state == CURLE_UNSUPPORTED_PROTOCOL ||
                        state == CURLE_FILE_COULDNT_READ_FILE || state == CURLE_PEER_FAILED_VERIFICATION;
  return {RuntimeError("download failed: " + what, url), !hopeless, http_status};
}

}  // namespace

bool IsLoopbackUrl(const std::string& url) {
  const std::optional<Origin> origin = OriginOf(url);
  return origin && IsLoopback(*origin);
}

TransferOutcome FetchOnce(const std::string& url, const TransferOptions& options, const TransferSink& sink) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) return {RuntimeError("libcurl does not start", url)};
  std::string address = url, linked_sha256;
  std::optional<Origin> from;
  const std::optional<Origin> first = OriginOf(url);
  bool trusted = true;  // still the host that the token is for
  for (int64_t hops = 0; hops <= options.redirects; ++hops) {
    if (Status allowed = CheckHop(address, from, options); !allowed.ok()) return {allowed};
    const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), curl_easy_cleanup);
    char message[CURL_ERROR_SIZE] = "";
    Hop hop;
    hop.options = &options;
    hop.sink = &sink;
    hop.curl = handle.get();
    hop.linked_sha256 = linked_sha256;
    Prepare(handle.get(), address, options, hop, message);
    from = OriginOf(address);
    trusted = trusted && from == first;
    curl_slist* list = nullptr;
    const auto add = [&](const std::string& line) { list = curl_slist_append(list, line.c_str()); };
    if (trusted && !options.bearer.empty()) add("Authorization: Bearer " + options.bearer);
    if (options.offset > 0) {
      curl_easy_setopt(handle.get(), CURLOPT_RANGE, (std::to_string(options.offset) + "-").c_str());
      if (!options.validator.empty()) add("If-Range: " + options.validator);
    }
    const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(list, curl_slist_free_all);
    curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
    const CURLcode state = curl_easy_perform(handle.get());
    char* next = nullptr;
    curl_easy_getinfo(handle.get(), CURLINFO_REDIRECT_URL, &next);
    if (state == CURLE_OK && next != nullptr && hop.Code() >= 300 && hop.Code() < 400) {
      std::string_view hash = hop.fields.linked_etag;
      if (hash.size() > 2 && hash.starts_with('"')) hash = hash.substr(1, hash.size() - 2);
      if (trusted && IsSha256(hash)) linked_sha256 = hash;
      address = next;
      continue;
    }
    if (state == CURLE_OK && !hop.begun && Hop::Wanted(hop.Code())) hop.failure = hop.Begin(hop.Code());
    return Explain(state, hop, address, message);
  }
  return {RuntimeError("more than " + std::to_string(options.redirects) + " redirects", url)};
}

}  // namespace pintle
