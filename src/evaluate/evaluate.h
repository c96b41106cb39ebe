// The evaluation stage: a trained model in, WORK/eval out. Reads the model, task files and the dataset's test part;
// writes
//
//   metrics.json    every score; nothing in it depends on time, machine or thread count
//   results.jsonl   each sample with its verdict, each fill-in-the-middle case
//   manifest.json   (formats/manifest.h)
//   machine.json    beside the manifest, not hashed: speed, memory, sandbox level
//
// Tables and pages are made from these files by others (gates.h, report.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/result.h"
#include "generate/generate.h"

namespace pintle {

/// What is measured and how; section [eval] of a configuration.
struct EvaluateConfig {
  std::string k = "1";      ///< comma-separated
  int64_t samples = 0;      ///< 0 = the largest k
  double temperature = -1;  ///< -1 = 0 (greedy) for one sample, else 0.6
  double top_p = 0.95;
  int64_t max_tokens = 256;
  int64_t max_problems = 0;  ///< 0 = all
  int64_t fim_cases = 100;   ///< of each kind
  int64_t held_out_bytes = 262144;
  int64_t seed = 0;
  void Visit(ConfigVisitor& visitor);
  /// The numbers of `k`, ascending, checked against the samples.
  [[nodiscard]] Result<std::vector<int64_t>> Ks() const;
};

/// What the stage is called with.
struct EvaluateOptions {
  EvaluateConfig config;
  std::vector<std::string> tasks;  ///< JSONL files or task folders; may be empty
  std::string held_out;            ///< dataset folder or .jsonl.zst; empty = no bits per byte, no fill-in-the-middle
  std::string out;                 ///< the folder to write; empty = nothing is written
  std::string cache;               ///< file of earlier builds; empty = none
  int threads = 0;                 ///< compiler jobs; the model has its own
  bool unsafe = false;
};

/// What was found, as JSON texts; `metrics` and `machine` are the files of the same names.
struct Evaluation {
  std::string metrics, machine;
  std::string id;           ///< of the manifest; empty if nothing was written
  bool up_to_date = false;  ///< an earlier run with the same inputs was read back
};

/// Runs everything that the options name. A model of external origin is refused. Without a compiler on the machine the
/// scores that need one are null and a warning says so. For the same inputs, seed and compiler the same metrics.
Result<Evaluation> Evaluate(TextModel& model, const EvaluateOptions& options);

}  // namespace pintle
