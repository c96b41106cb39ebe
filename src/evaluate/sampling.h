// From a task to completions: what the model is shown, where its answer ends, and how an answer becomes what the
// harness judges. The model is the engine's TextModel and nothing else is known about it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "evaluate/task.h"
#include "generate/generate.h"

namespace pintle {

/// How completions are drawn.
struct SamplingOptions {
  int64_t samples = 1;     ///< completions a task
  double temperature = 0;  ///< 0 = greedy; then one sample says all
  double top_p = 0.95;     ///< used with a temperature
  uint64_t seed = 0;
  int64_t max_tokens = 256;  ///< of one function body
};

/// One answer, and what it took.
struct Sample {
  /// As the harness wants it: modes main and test what follows the prompt, mode crate the lib.rs.
  std::string completion;
  double mean_logprob = 0;  ///< over all tokens of the answer
  int64_t tokens = 0;
  bool prompt_cut = false;  ///< the prompt was longer than the context; its beginning is missing
};

/// What the answers took, over all tasks: never part of a result.
struct SamplingTimes {
  std::vector<double> first_token_ms;  ///< a completion each: reading the prompt
  double decode_seconds = 0;
  int64_t decoded_tokens = 0;
};

/// `options.samples` answers to a task. Sample i draws from (seed, task id, i), so it does not depend on other tasks.
Result<std::vector<Sample>> SampleTask(TextModel& model, const Task& task, const SamplingOptions& options,
                                       SamplingTimes& times);

/// The places of todo!() and unimplemented!() in a stub: [begin, end) of each call with a semicolon behind it.
struct Hole {
  size_t begin = 0, end = 0;
};
std::vector<Hole> FindHoles(const std::string& stub);

/// The seed of a task's samples.
uint64_t TaskSeed(uint64_t seed, std::string_view id);

}  // namespace pintle
