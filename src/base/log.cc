#include "base/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "base/file.h"
#include "base/json.h"
#include "base/log_file.h"
#include "base/time.h"

namespace pintle {
namespace {

std::atomic<LogLevel> g_level{LogLevel::kInfo};
std::atomic<bool> g_json{false};
std::mutex g_mutex;

// The log file of this program; guarded by g_mutex.
struct LogFile {
  std::filesystem::path path;
  uint64_t max_bytes = 0, size = 0;
  File file;
};
std::optional<LogFile> g_file;

Result<LogFile> OpenLogFile(const std::filesystem::path& path, uint64_t max_bytes) {
  PINTLE_ASSIGN(File file, File::OpenAppend(path));
  PINTLE_ASSIGN(const uint64_t size, file.Size());
  return LogFile{path, max_bytes, size, std::move(file)};
}

Status AppendToLogFile(const std::string& line) {
  if (g_file->size > 0 && g_file->size + line.size() > g_file->max_bytes) {
    const std::string path = g_file->path.string();
    std::error_code code;
    std::filesystem::rename(path + ".1", path + ".2", code);  // there may be none yet
    std::filesystem::rename(path, path + ".1", code);
    if (code) return RuntimeError("cannot rename the full log: " + code.message(), path);
    PINTLE_ASSIGN(g_file, OpenLogFile(path, g_file->max_bytes));
  }
  g_file->size += line.size();
  return g_file->file.Write(line);
}

void Narrate(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

// One line to stderr, in the form asked for, and to the log file.
void WriteLine(const std::string& text, const std::string& json) {
  const std::lock_guard lock(g_mutex);
  Narrate(g_json ? json : text);
  if (!g_file) return;
  const Status written = AppendToLogFile(json);
  if (written.ok()) return;
  g_file.reset();
  Narrate("log: warning: the log file is given up: " + written.error().Message() + "\n");
}

// A moving progress line.
void WriteStderr(const std::string& text) {
  const std::lock_guard lock(g_mutex);
  Narrate(text);
}

constexpr const char* kNames[] = {"debug", "info", "warning", "error"};

// `more`: further members, each with its comma before it.
std::string JsonLine(LogLevel level, std::string_view module, std::string_view message, const std::string& more) {
  return fmt::format("{{\"ts\":\"{}\",\"level\":\"{}\",\"module\":{},\"msg\":{}{}}}\n", UtcTimestamp(),
                     kNames[static_cast<int>(level)], JsonQuote(module), JsonQuote(message), more);
}

}  // namespace

void SetLogLevel(LogLevel level) { g_level = level; }
void SetLogJson(bool json) { g_json = json; }

Status SetLogFile(const std::filesystem::path& path, uint64_t max_bytes) {
  std::optional<LogFile> opened;
  if (!path.empty()) {
    PINTLE_ASSIGN(opened, OpenLogFile(path, max_bytes));
  }
  const std::lock_guard lock(g_mutex);
  g_file = std::move(opened);
  return {};
}

bool StderrIsTerminal() {
  static const bool terminal = isatty(STDERR_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  return terminal && !g_json;
}

Result<LogLevel> ParseLogLevel(std::string_view name) {
  for (int i = 0; i < 4; ++i) {
    if (name == kNames[i]) return static_cast<LogLevel>(i);
  }
  return UsageError(fmt::format("unknown log level '{}'", name), "--log-level", "use debug, info, warning or error");
}

void Log(LogLevel level, std::string_view module, const std::string& message) {
  if (level < g_level.load()) return;
  const std::string name = level == LogLevel::kInfo ? "" : fmt::format("{}: ", kNames[static_cast<int>(level)]);
  WriteLine(fmt::format("{}: {}{}\n", module, name, message), JsonLine(level, module, message, ""));
}

void PrintError(const Error& error) {
  const bool colour = StderrIsTerminal();
  std::string text = fmt::format("{}error:{} {}\n", colour ? "\033[1;31m" : "", colour ? "\033[0m" : "", error.what);
  if (!error.where.empty()) text += fmt::format("  --> {}\n", error.where);
  if (!error.hint.empty()) {
    text += fmt::format("{}hint:{} {}\n", colour ? "\033[1;36m" : "", colour ? "\033[0m" : "", error.hint);
  }
  WriteLine(text, JsonLine(LogLevel::kError, "pintle", error.what,
                           fmt::format(",\"code\":{},\"where\":{},\"hint\":{}", static_cast<int>(error.code),
                                       JsonQuote(error.where), JsonQuote(error.hint))));
}

Progress::Progress(std::string label, std::string unit, double total)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_(total),
      start_(MonotonicSeconds()),
      last_print_(start_) {}

Progress::~Progress() { Finish(); }

void Progress::Update(double done, const std::string& detail) {
  const double now = MonotonicSeconds();
  const bool terminal = StderrIsTerminal();
  if (now - last_print_ < (terminal ? 0.1 : 10.0) || g_level.load() > LogLevel::kInfo) return;
  last_print_ = now;
  const double rate = now > start_ ? done / (now - start_) : 0;
  std::string line = label_;
  if (terminal && total_ > 0) {
    const int filled = static_cast<int>(24 * (done < total_ ? done / total_ : 1.0));
    line +=
        " [" + std::string(static_cast<size_t>(filled), '#') + std::string(static_cast<size_t>(24 - filled), '.') + "]";
  }
  line += total_ > 0 ? fmt::format(" {:.0f}/{:.0f} {}", done, total_, unit_) : fmt::format(" {:.0f} {}", done, unit_);
  line += fmt::format(", {:.{}f} {}/s", rate, rate < 10 ? 1 : 0, unit_);
  if (total_ > done && rate > 0) line += ", " + HumanDuration((total_ - done) / rate) + " left";
  if (!detail.empty()) line += ", " + detail;
  if (terminal) {
    WriteStderr("\r\033[K" + line);
  } else {
    Log(LogLevel::kInfo, "progress", line);
  }
}

void Progress::Finish() {
  if (finished_) return;
  finished_ = true;
  if (StderrIsTerminal() && last_print_ > start_) WriteStderr("\r\033[K");
}

}  // namespace pintle
