#include "corpus/fetch.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "formats/manifest.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

// Whether trying again can help.
struct Outcome {
  Status status;
  bool retry = false;
};

struct Transfer {
  std::function<bool(std::string_view)> sink;
  int64_t received = 0, limit = 0;
  bool too_large = false;

  static size_t Write(char* data, size_t size, size_t count, void* self) {
    auto* transfer = static_cast<Transfer*>(self);
    transfer->received += static_cast<int64_t>(size * count);
    if (transfer->received > transfer->limit) {
      transfer->too_large = true;
      return 0;
    }
    return transfer->sink({data, size * count}) ? size * count : 0;
  }
  static int Watch(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t) { return Interrupted() ? 1 : 0; }
};

// One attempt, from byte `offset` on. `restart` is called if the server sends the whole file although a part was asked
// for.
Outcome Attempt(const std::string& url, int64_t offset, const FetchOptions& options, Transfer& transfer,
                const std::function<void()>& restart) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) return {RuntimeError("libcurl does not start", url), false};
  const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), curl_easy_cleanup);
  CURL* curl = handle.get();
  char message[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, kToolVersion);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout_seconds * 1000));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1000L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(options.stall_seconds)));
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, Transfer::Watch);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Transfer::Write);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  if (offset > 0) curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(offset));
  const auto sink = transfer.sink;
  bool checked = offset == 0;
  transfer.sink = [&](std::string_view bytes) {
    if (!checked) {
      long code = 0;
      curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
      if (code == 200) restart();
      checked = true;
    }
    return sink(bytes);
  };
  const CURLcode state = curl_easy_perform(curl);
  transfer.sink = sink;
  if (state == CURLE_OK) return {};
  long code = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
  if (Interrupted())
    return {RuntimeError("interrupted", url, "run the same command again: the download goes on"), false};
  if (transfer.too_large) {
    return {ValidationError(fmt::format("larger than {} bytes", transfer.limit), url), false};
  }
  const std::string what = message[0] != '\0' ? message : curl_easy_strerror(state);
  if (state == CURLE_HTTP_RETURNED_ERROR) {
    if (code == 416) restart();  // the partial file is not a prefix of what the server has
    const bool passing = code == 416 || code == 408 || code == 429 || code >= 500;
    return {RuntimeError(fmt::format("the server answers {}", code), url), passing};
  }
  const bool hopeless = state == CURLE_URL_MALFORMAT || state == CURLE_UNSUPPORTED_PROTOCOL ||
                        state == CURLE_WRITE_ERROR || state == CURLE_FILE_COULDNT_READ_FILE;
  return {RuntimeError("download failed: " + what, url), !hopeless};
}

// Sleeps in short pieces so that Ctrl-C is heard.
void BackOff(double seconds) {
  for (double left = seconds; left > 0 && !Interrupted(); left -= 0.05) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

Status WithRetries(const std::vector<std::string>& urls, const FetchOptions& options,
                   const std::function<Outcome(const std::string& url)>& attempt) {
  Status last = RuntimeError("no address is given");
  for (const std::string& url : urls) {
    double wait = options.backoff_seconds;
    for (int64_t i = 1; i <= options.attempts; ++i) {
      Outcome outcome = attempt(url);
      if (outcome.status.ok()) return {};
      last = outcome.status;
      if (Interrupted()) return last;
      if (!outcome.retry) break;
      if (i == options.attempts) break;
      LogWarning("crawl", fmt::format("{} (attempt {} of {}, next in {:.1f} s)", last.error().Message(), i,
                                      options.attempts, wait));
      BackOff(wait);
      wait *= 2;
    }
    if (urls.size() > 1) LogWarning("crawl", last.error().Message());
  }
  Error error = last.error();
  if (error.hint.empty()) {
    error.hint =
        "check the network and run the same command again: finished downloads are kept; or give a local copy with "
        "`path`";
  }
  return error;
}

}  // namespace

Result<fs::path> FetchToStore(const std::vector<std::string>& urls, const std::string& sha256, const fs::path& store,
                              const FetchOptions& options) {
  PINTLE_RETURN_IF_ERROR(MakeFolder(store));
  std::error_code code;
  if (!sha256.empty() && fs::exists(store / sha256, code)) {
    PINTLE_ASSIGN(const std::string found, Sha256HexOfFile(store / sha256));
    if (found == sha256) return store / sha256;
    LogWarning("crawl", "a stored archive does not match its hash any more and is fetched again: " + sha256);
    fs::permissions(store / sha256, fs::perms::owner_write, fs::perm_options::add, code);
    PINTLE_RETURN_IF_ERROR(RemoveAll(store / sha256));
  }
  const std::string key = sha256.empty() ? Sha256Hex(urls.empty() ? "" : urls.front()) : sha256;
  const fs::path partial = store / (key + ".part");
  const auto attempt = [&](const std::string& url) -> Outcome {
    const auto offset = fs::exists(partial, code) ? static_cast<int64_t>(fs::file_size(partial, code)) : 0;
    auto file = File::OpenAppend(partial);
    if (!file.ok()) return {file.error(), false};
    Transfer transfer;
    transfer.limit = options.max_bytes;
    Status write;
    transfer.sink = [&](std::string_view bytes) {
      write = file->Write(bytes);
      return write.ok();
    };
    Outcome outcome = Attempt(url, offset, options, transfer, [&] { fs::resize_file(partial, 0, code); });
    if (!write.ok()) return {write, false};
    if (!outcome.status.ok()) return outcome;
    if (Status sync = file->Sync(); !sync.ok()) return {sync, false};
    if (!sha256.empty()) {
      const auto found = Sha256HexOfFile(partial);
      if (!found.ok()) return {found.error(), false};
      if (*found != sha256) {
        fs::remove(partial, code);
        // A resumed file may have been the prefix of something else: one fresh attempt is worth it then.
        return {ValidationError("SHA-256 is " + *found + ", pinned is " + sha256, url,
                                "the file at this address is not the one that the manifest names"),
                offset > 0};
      }
    }
    return {};
  };
  PINTLE_RETURN_IF_ERROR(WithRetries(urls, options, attempt));
  std::string name = sha256;
  if (name.empty()) {
    PINTLE_ASSIGN(name, Sha256HexOfFile(partial));
  }
  fs::rename(partial, store / name, code);
  if (code) return RuntimeError("cannot rename into place: " + code.message(), (store / name).string());
  fs::permissions(store / name, fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read, code);
  PINTLE_RETURN_IF_ERROR(SyncFolder(store));
  return store / name;
}

Result<std::string> FetchText(const std::string& url, const FetchOptions& options) {
  std::string text;
  const auto attempt = [&](const std::string& address) -> Outcome {
    text.clear();
    Transfer transfer;
    transfer.limit = int64_t{64} << 20;
    transfer.sink = [&](std::string_view bytes) {
      text += bytes;
      return true;
    };
    return Attempt(address, 0, options, transfer, [] {});
  };
  PINTLE_RETURN_IF_ERROR(WithRetries({url}, options, attempt));
  return text;
}

}  // namespace pintle
