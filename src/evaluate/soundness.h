// The harness tests itself before anybody believes a score: reference solutions must pass; an empty answer, `fn main()
// {}`, `todo!()` and mutants of the solutions must not. Needs tasks with reference solutions and a compiler, no model.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "evaluate/harness.h"
#include "evaluate/task.h"

namespace pintle {

/// What the harness said of references, blanks and mutants.
struct SelfTestReport {
  int64_t tasks = 0;
  int64_t references = 0, references_passed = 0;
  int64_t blanks = 0, blanks_refused = 0;    ///< nothing, fn main() {}, todo!()
  int64_t mutants = 0, mutants_refused = 0;  ///< one changed token each; a few mean the same as the original
  /// One line for each thing that is wrong: a reference that fails, a blank that passes, a task none of whose mutants
  /// fails.
  std::vector<std::string> findings;
  [[nodiscard]] bool Passed() const { return findings.empty(); }
};

/// `mutants_per_task` changes at seeded places. The same report for any number of workers.
Result<SelfTestReport> RunSelfTest(Harness& harness, const TaskSet& set, uint64_t seed, int mutants_per_task,
                                   const std::function<void(int64_t)>& on_progress = {});

/// A few programs of known fate that need no task file: what the compiler accepts, refuses, and what a program may not
/// do in the sandbox (connect, read a password file, run for ever, eat memory, exit early). Findings as above, empty =
/// good.
Result<std::vector<std::string>> RunBuiltinSelfTest(Harness& harness);

/// `count` copies of `completion` with one token changed (an operator turned round, a number moved, a boolean flipped),
/// each at another place before `#[cfg(test)]`; fewer if there are not so many places. Pure.
std::vector<std::string> Mutate(const std::string& completion, uint64_t seed, int count);

}  // namespace pintle
