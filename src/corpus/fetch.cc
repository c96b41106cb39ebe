#include "corpus/fetch.h"

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "net/transfer.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

// One attempt, from byte `offset` on. `restart` is called if the server sends the whole file although a part was asked
// for. At most `limit` bytes, those before `offset` included.
TransferOutcome Attempt(const std::string& url, int64_t offset, const FetchOptions& options, int64_t limit,
                        const std::function<void()>& restart, const std::function<Status(std::string_view)>& write) {
  TransferOptions transfer;
  transfer.offset = offset;
  transfer.plain_http = true;  // the manifest pins what arrives by its hash
  transfer.local_files = true;
  transfer.connect_seconds = options.connect_timeout_seconds;
  transfer.stall_seconds = options.stall_seconds;
  transfer.stop = Interrupted;
  int64_t received = offset;
  TransferSink sink;
  sink.begin = [&](const TransferHead& head) -> Status {
    if (head.offset == 0 && offset > 0) {
      restart();
      received = 0;
    }
    return {};
  };
  sink.bytes = [&](std::string_view bytes) -> Status {
    received += static_cast<int64_t>(bytes.size());
    if (received > limit) return ValidationError(fmt::format("larger than {} bytes", limit));
    return write(bytes);
  };
  TransferOutcome outcome = FetchOnce(url, transfer, sink);
  if (outcome.http_status == 416) restart();  // the partial file is not a prefix of what the server has
  return outcome;
}

// Sleeps in short pieces so that Ctrl-C is heard.
void BackOff(double seconds) {
  for (double left = seconds; left > 0 && !Interrupted(); left -= 0.05) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

Status WithRetries(const std::vector<std::string>& urls, const FetchOptions& options,
                   const std::function<TransferOutcome(const std::string& url)>& attempt) {
  Status last = RuntimeError("no address is given");
  for (const std::string& url : urls) {
    double wait = options.backoff_seconds;
    for (int64_t i = 1; i <= options.attempts; ++i) {
      const TransferOutcome outcome = attempt(url);
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
  // Without a pin nothing proves that what an earlier call left is a part of what the address gives now.
  if (sha256.empty()) fs::remove(partial, code);
  const auto attempt = [&](const std::string& url) -> TransferOutcome {
    const auto offset = fs::exists(partial, code) ? static_cast<int64_t>(fs::file_size(partial, code)) : 0;
    auto file = File::OpenAppend(partial);
    if (!file.ok()) return {file.error(), false};
    TransferOutcome outcome = Attempt(
        url, offset, options, options.max_bytes, [&] { fs::resize_file(partial, 0, code); },
        [&](std::string_view bytes) { return file->Write(bytes); });
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
  const auto attempt = [&](const std::string& address) -> TransferOutcome {
    text.clear();
    return Attempt(
        address, 0, options, int64_t{64} << 20, [] {},
        [&](std::string_view bytes) -> Status {
          text += bytes;
          return {};
        });
  };
  PINTLE_RETURN_IF_ERROR(WithRetries({url}, options, attempt));
  return text;
}

}  // namespace pintle
