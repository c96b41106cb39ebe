#include "base/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "base/json.h"
#include "base/time.h"

namespace pintle {
namespace {

std::atomic<LogLevel> g_level{LogLevel::kInfo};
std::atomic<bool> g_json{false};
std::mutex g_mutex;

constexpr const char* kNames[] = {"debug", "info", "warning", "error"};

void WriteStderr(const std::string& text) {
  const std::lock_guard lock(g_mutex);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

void SetLogLevel(LogLevel level) { g_level = level; }
void SetLogJson(bool json) { g_json = json; }

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
  const char* name = kNames[static_cast<int>(level)];
  if (g_json) {
    WriteStderr(fmt::format("{{\"ts\":\"{}\",\"level\":\"{}\",\"module\":{},\"msg\":{}}}\n", UtcTimestamp(), name,
                            JsonQuote(module), JsonQuote(message)));
  } else if (level == LogLevel::kInfo) {
    WriteStderr(fmt::format("{}: {}\n", module, message));
  } else {
    WriteStderr(fmt::format("{}: {}: {}\n", module, name, message));
  }
}

void PrintError(const Error& error) {
  if (g_json) {
    WriteStderr(fmt::format("{{\"ts\":\"{}\",\"level\":\"error\",\"code\":{},\"what\":{},\"where\":{},\"hint\":{}}}\n",
                            UtcTimestamp(), static_cast<int>(error.code), JsonQuote(error.what), JsonQuote(error.where),
                            JsonQuote(error.hint)));
    return;
  }
  const bool colour = StderrIsTerminal();
  std::string text = fmt::format("{}error:{} {}\n", colour ? "\033[1;31m" : "", colour ? "\033[0m" : "", error.what);
  if (!error.where.empty()) text += fmt::format("  --> {}\n", error.where);
  if (!error.hint.empty()) {
    text += fmt::format("{}hint:{} {}\n", colour ? "\033[1;36m" : "", colour ? "\033[0m" : "", error.hint);
  }
  WriteStderr(text);
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
  last_done_ = done;
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
  line += fmt::format(", {:.0f} {}/s", rate, unit_);
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
