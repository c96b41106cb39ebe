#include "catalogue/download.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <optional>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"

namespace pintle {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kSpareBytes = int64_t{64} << 20;  // that a download leaves free
constexpr double kProgressSeconds = 0.2;

// TARGET.part.json: what the part is a part of.
struct PartState {
  std::string url, validator, sha256;
  int64_t total = 0;
};

PartState ReadPartState(const fs::path& path) {
  const std::string where = path.string();
  const auto read = [&]() -> Result<PartState> {
    PINTLE_ASSIGN(const std::string text, ReadFile(path, 1 << 16));
    PINTLE_ASSIGN(const boost::json::value value, ParseJson(text, where));
    PartState state;
    PINTLE_ASSIGN(state.url, JsonString(value, "url", where));
    PINTLE_ASSIGN(state.validator, JsonString(value, "validator", where));
    PINTLE_ASSIGN(state.sha256, JsonString(value, "sha256", where));
    PINTLE_ASSIGN(state.total, JsonInt(value, "total", where));
    return state;
  };
  const Result<PartState> state = read();
  return state.ok() ? *state : PartState();  // a part of unknown origin is no use
}

// Held while a download is at work on its part; ends with the process.
class PartLock {
 public:
  static Result<PartLock> Take(const fs::path& part) {
    while (true) {
      PartLock lock;
      lock.descriptor_ = ::open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
      if (lock.descriptor_ < 0)
        return RuntimeError("cannot create", part.string(), "check the folder's owner and mode");
      if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
        return RuntimeError("another process is fetching this file", part.string(), "wait for it, or end it");
      }
      // The other one may just have put the file in place: then this descriptor is the finished model.
      struct stat ours{}, there{};
      if (::fstat(lock.descriptor_, &ours) == 0 && ::stat(part.c_str(), &there) == 0 && ours.st_ino == there.st_ino) {
        return lock;
      }
    }
  }
  PartLock(PartLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  PartLock(const PartLock&) = delete;
  PartLock& operator=(const PartLock&) = delete;
  ~PartLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

 private:
  PartLock() = default;
  int descriptor_ = -1;
};

class Download {
 public:
  explicit Download(const DownloadRequest& request)
      : request_(request), part_(request.target.string() + ".part"), state_path_(part_.string() + ".json") {}

  Result<DownloadResult> Run() {
    double wait = request_.backoff_seconds;
    int64_t most = 0, barren = 0;  // bytes that were ever here; attempts since then
    while (!Complete()) {
      const TransferOutcome outcome = Attempt();
      http_status_ = outcome.http_status;
      Error error = RuntimeError("the connection ended early", request_.url);
      if (!outcome.status.ok()) error = outcome.status.error();
      if (Stopped() || !(restart_ || outcome.retry || outcome.status.ok())) return error;
      barren = done_ > most ? 0 : barren + 1;
      if (done_ > most) wait = request_.backoff_seconds;
      most = std::max(most, done_);
      if (done_ == state_.total && done_ > 0) continue;
      if (barren >= request_.attempts) {
        error.hint = "check the network and run the same command again: what came is kept";
        return error;
      }
      LogWarning("pull", fmt::format("{}; next attempt in {:.1f} s", error.Message(), wait));
      Wait(wait);
      wait = std::min(2 * wait, 30.0);
    }
    return Finish();
  }

  [[nodiscard]] int http_status() const { return http_status_; }

 private:
  [[nodiscard]] bool Stopped() const { return request_.stop && request_.stop(); }

  void Wait(double seconds) const {
    for (double left = seconds; left > 0 && !Stopped(); left -= 0.05) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  // What is here of the file, as far as it is worth anything.
  bool Complete() {
    state_ = ReadPartState(state_path_);
    std::error_code code;
    const uintmax_t size = fs::file_size(part_, code);
    done_ = code ? 0 : static_cast<int64_t>(size);
    if (state_.url != request_.url || done_ > state_.total) Discard();
    if (state_.validator.empty() && done_ < state_.total) Discard();  // the server gives no means to go on
    return state_.total > 0 && done_ == state_.total;
  }

  void Discard() {
    std::error_code code;
    fs::resize_file(part_, 0, code);
    fs::remove(state_path_, code);
    state_ = {};
    done_ = 0;
  }

  Status Begin(const TransferHead& head) {
    if (head.total < 0) return RuntimeError("the server does not say how large the file is");
    if (head.total == 0) return ValidationError("the file at this address is empty");
    if (request_.bytes > 0 && head.total != request_.bytes) {
      return ValidationError(fmt::format("the file has {} bytes, not {}", head.total, request_.bytes), "",
                             "it is not the file that was asked for any more");
    }
    if (head.offset > 0 && (head.total != state_.total || head.validator != state_.validator)) {
      Discard();
      restart_ = true;
      return RuntimeError("the file changed since the download began");
    }
    if (head.offset == 0 && done_ > 0) {
      LogWarning("pull", "the file changed since the download began, which begins anew");
      Discard();
    }
    std::error_code code;
    const fs::space_info space = fs::space(request_.target.parent_path(), code);
    if (const int64_t need = head.total - head.offset + kSpareBytes;
        !code && static_cast<int64_t>(space.available) < need) {
      return RuntimeError(fmt::format("{} more are needed, {} are free", HumanBytes(static_cast<double>(need)),
                                      HumanBytes(static_cast<double>(space.available))),
                          request_.target.parent_path().string(), "free some space and run the same command again");
    }
    if (head.offset == 0) {
      state_ = {request_.url, head.validator, head.linked_sha256, head.total};
      const boost::json::object json = {
          {"url", state_.url}, {"validator", state_.validator}, {"sha256", state_.sha256}, {"total", state_.total}};
      PINTLE_RETURN_IF_ERROR(WriteFileAtomic(state_path_, DumpJson(json) + "\n"));
    }
    PINTLE_ASSIGN(File file, File::OpenAppend(part_));
    file_ = std::move(file);
    return {};
  }

  Status Take(std::string_view bytes) {
    if (done_ + static_cast<int64_t>(bytes.size()) > state_.total) {
      Discard();
      return ValidationError("the server sends more than it said");
    }
    PINTLE_RETURN_IF_ERROR(file_->Write(bytes));
    done_ += static_cast<int64_t>(bytes.size());
    if (const double now = MonotonicSeconds(); request_.progress && now - shown_ > kProgressSeconds) {
      shown_ = now;
      request_.progress(done_, state_.total);
    }
    return {};
  }

  TransferOutcome Attempt() {
    TransferOptions options;
    options.offset = done_;
    options.validator = state_.validator;
    options.bearer = request_.bearer;
    options.plain_http = request_.plain_http;
    options.connect_seconds = request_.connect_seconds;
    options.stall_seconds = request_.stall_seconds;
    options.stop = request_.stop;
    restart_ = false;
    TransferOutcome outcome = FetchOnce(request_.url, options,
                                        {[this](const TransferHead& head) { return Begin(head); },
                                         [this](std::string_view bytes) { return Take(bytes); }});
    if (outcome.http_status == 416) {  // there is no such part: it is another file
      Discard();
      restart_ = true;
    }
    if (!file_) return outcome;
    const Status closed = file_->Close();
    if (!closed.ok() && outcome.status.ok()) outcome.status = closed;
    file_.reset();
    return outcome;
  }

  Result<DownloadResult> Finish() {
    if (request_.progress) request_.progress(done_, state_.total);
    {
      PINTLE_ASSIGN(File whole, File::OpenAppend(part_));
      PINTLE_RETURN_IF_ERROR(whole.Sync());
    }
    PINTLE_ASSIGN(const std::string found, Sha256HexOfFile(part_));
    const std::string& wanted = request_.sha256.empty() ? state_.sha256 : request_.sha256;
    Status good;
    if (!wanted.empty() && found != wanted) {
      good = ValidationError("SHA-256 is " + found + ", not " + wanted, request_.url,
                             "what arrived is not the file that was asked for; it was removed");
    } else if (request_.check) {
      good = request_.check(part_);
    }
    if (!good.ok()) {
      Discard();
      PINTLE_RETURN_IF_ERROR(RemoveAll(part_));
      return good.error();
    }
    const int64_t bytes = done_;
    std::error_code code;
    fs::rename(part_, request_.target, code);
    if (code) return RuntimeError("cannot rename into place: " + code.message(), request_.target.string());
    PINTLE_RETURN_IF_ERROR(RemoveAll(state_path_));
    PINTLE_RETURN_IF_ERROR(SyncFolder(request_.target.parent_path()));
    return DownloadResult{found, bytes};
  }

  const DownloadRequest& request_;
  const fs::path part_, state_path_;
  PartState state_;
  std::optional<File> file_;
  int64_t done_ = 0;      // bytes of the part
  bool restart_ = false;  // the last attempt found another file
  int http_status_ = 0;
  double shown_ = 0;
};

}  // namespace

Result<DownloadResult> DownloadFile(const DownloadRequest& request, DownloadFailure* failure) {
  PINTLE_RETURN_IF_ERROR(MakeFolder(request.target.parent_path()));
  PINTLE_ASSIGN(const PartLock lock, PartLock::Take(request.target.string() + ".part"));
  Download download(request);
  Result<DownloadResult> result = download.Run();
  if (failure != nullptr) failure->http_status = download.http_status();
  // Nothing came: nothing stays. The lock is still held.
  std::error_code code;
  const fs::path part = request.target.string() + ".part";
  if (!result.ok() && fs::is_empty(part, code) && !code) PINTLE_RETURN_IF_ERROR(RemoveAll(part));
  return result;
}

}  // namespace pintle
