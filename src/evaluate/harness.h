// The harness: one completion in, a verdict out. Puts prompt, completion and tests together, compiles them with rustc
// and runs the program, both in the sandbox. What a verdict depends on: the texts, the compiler's version and the
// limits; not the number of workers, not the order. It knows tasks and compilers, not models.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "evaluate/rustc.h"
#include "evaluate/sandbox.h"
#include "evaluate/task.h"

namespace pintle {

/// How far a completion came; each step includes the ones before.
enum class Stage {
  kCompile,  ///< does not type-check
  kLink,     ///< type-checks, but no program came out
  kTests,    ///< mode crate: the crate builds, the tests do not compile against it
  kRun,      ///< builds, but the tests fail
  kPass,
};

/// What became of one candidate.
struct Verdict {
  Stage stage = Stage::kCompile;
  bool timed_out = false;
  std::vector<std::string> codes;  ///< rustc's error codes in order of appearance, each once; "none" = without a code
  std::string message;             ///< the first error, one line
  [[nodiscard]] bool TypeChecks() const { return stage > Stage::kCompile; }
  [[nodiscard]] bool Builds() const { return stage > Stage::kLink; }
  [[nodiscard]] bool Passes() const { return stage == Stage::kPass; }
};

/// "compile", "link", "tests", "run", "pass".
const char* StageName(Stage stage);

/// A completion to judge; the task must outlive the call. Mode crate: the whole lib.rs.
struct Candidate {
  const Task* task = nullptr;
  std::string completion;
};

/// Limits, workers and the cache of a harness.
struct HarnessOptions {
  bool unsafe = false;               ///< run even where the sandbox lacks a layer
  int workers = 0;                   ///< 0 = all processors
  std::filesystem::path cache_file;  ///< verdicts by content (build_cache.h); empty = none
  SandboxLimits compile_limits;
  SandboxLimits run_limits;
  HarnessOptions();
};

/// Compiles and runs candidates in the sandbox.
class Harness {
 public:
  /// Finds the compiler and the sandbox, and proves both: a program that asserts 1 + 1 must pass.
  static Result<Harness> Create(const HarnessOptions& options);
  Harness(Harness&&) noexcept;
  Harness& operator=(Harness&&) noexcept;
  ~Harness();

  [[nodiscard]] const Rustc& rustc() const;
  [[nodiscard]] const Sandbox& sandbox() const;

  /// Verdicts in the order of the candidates. Equal programs are built once. An interrupt ends it with an error.
  /// `on_progress` is called with the number of programs done, from the calling thread.
  [[nodiscard]] Result<std::vector<Verdict>> Check(const std::vector<Candidate>& candidates,
                                                   const std::function<void(int64_t)>& on_progress = {});
  /// Writes the cache file. Verdicts that hang on time (time-outs) are not kept.
  Status SaveCache() const;

 private:
  struct State;
  explicit Harness(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// rustc's diagnostics (--error-format=json, one object a line) as codes and the first message. Lines that are no
/// diagnostics are passed over.
void ReadDiagnostics(std::string_view text, Verdict& verdict);

}  // namespace pintle
