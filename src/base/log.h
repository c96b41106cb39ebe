// Narration on stderr: levels, plain lines or JSON lines. Data goes to stdout and never passes here. Prompts, file
// contents and secrets are never logged.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pintle {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// Set once at start by the command line; read by every thread.
void SetLogLevel(LogLevel level);
void SetLogJson(bool json);
/// Colours and moving progress lines: stderr is a terminal and NO_COLOR is not set.
bool StderrIsTerminal();
Result<LogLevel> ParseLogLevel(std::string_view name);

/// One line; thread-safe. `module` is the stage ("filter"). JSON form: {"ts","level","module","msg"}.
void Log(LogLevel level, std::string_view module, const std::string& message);
inline void LogInfo(std::string_view module, const std::string& message) { Log(LogLevel::kInfo, module, message); }
inline void LogWarning(std::string_view module, const std::string& message) {
  Log(LogLevel::kWarning, module, message);
}

/// "error: what\n  --> where\nhint: hint" on stderr, coloured on a terminal.
void PrintError(const Error& error);

/// A progress line: on a terminal a bar with rate and ETA redrawn at most ten times a second, otherwise a plain line
/// every ten seconds. One thread calls it.
class Progress {
 public:
  /// `unit` is what is counted ("files", "tokens"); total 0 = unknown.
  Progress(std::string label, std::string unit, double total);
  ~Progress();
  /// `done` so far; `detail` stands behind the rate ("loss 3.21").
  void Update(double done, const std::string& detail = {});
  /// Ends the line; called by the destructor too.
  void Finish();

 private:
  std::string label_, unit_;
  double total_;
  double start_, last_print_;
  bool finished_ = false;
};

}  // namespace pintle
