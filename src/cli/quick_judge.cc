#include "cli/quick_judge.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "base/interrupt.h"
#include "base/log.h"
#include "evaluate/harness.h"

namespace pintle {

ProgramJudge MakeQuickJudge(int workers) {
  const auto harness = std::make_shared<std::optional<Result<Harness>>>();
  return [harness, workers](const std::vector<std::string>& programs) -> Result<std::optional<int64_t>> {
    if (!*harness) {
      HarnessOptions options;
      options.workers = workers;
      harness->emplace(Harness::Create(options));
      if (!(*harness)->ok()) LogInfo("train", "samples are parsed, not compiled: " + (*harness)->error().what);
    }
    if (!(*harness)->ok()) return std::optional<int64_t>();
    const Task task;
    std::vector<Candidate> candidates;
    for (const std::string& program : programs) candidates.push_back({&task, program});
    const auto verdicts = (*harness)->value().Check(candidates);
    // An interrupt ends the question, not the training: that saves first.
    if (!verdicts.ok() && Interrupted()) return std::optional<int64_t>();
    if (!verdicts.ok()) return verdicts.error();
    return std::optional<int64_t>(
        std::count_if(verdicts->begin(), verdicts->end(), [](const Verdict& verdict) { return verdict.TypeChecks(); }));
  };
}

}  // namespace pintle
