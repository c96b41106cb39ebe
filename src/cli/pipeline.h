// Every stage of M31R in order, each called once with its settings; what is up to date is skipped by the stage itself.
// `m31r run`, `m31r reproduce` and the demo are thin faces of it. The stages know nothing of each other: they meet in
// the folders below WORK.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/command.h"

namespace pintle {

/// What a run is made from.
struct PipelineOptions {
  std::filesystem::path settings;  ///< a preset's TOML: [filter] [dataset] [tokenizer] [shard] [train] [model]
  std::filesystem::path source;    ///< an archive, a folder, or a manifest of sources
  std::filesystem::path archive;   ///< a copy of the archive that a manifest of one source names; empty = none
  std::filesystem::path work;
  std::filesystem::path benchmarks;  ///< tasks that the corpus must not contain; empty = the shipped ones
};

/// The identities of what a run made; equal for any number of threads.
struct PipelineResult {
  std::string dataset;    ///< id of the dataset's manifest
  std::string tokenizer;  ///< SHA-256 of tokenizer.json
  std::string weights;    ///< SHA-256 of model.safetensors
  int64_t parameters = 0, steps = 0;
  double bits_per_byte = 0;
  double seconds = 0;
};

/// What a run would do in one stage. Nothing is read but settings and manifests.
struct StagePlan {
  std::string stage;     ///< "crawl rust-web-src", "filter", ...
  std::string settings;  ///< hash of the settings that decide its output
  std::string id;        ///< of the output that is there; "" = none
  std::string state;     ///< "up to date", "to be made", "to be made anew: other settings", ...
};

/// The whole plan of a run.
struct PipelinePlan {
  std::vector<StagePlan> stages;
  std::string settings;  ///< all of them as TOML, from preset, file, environment and --set
};

/// The plan of RunPipeline with the same arguments. Not looked at: files in a folder of sources, downloads, benchmarks.
Result<PipelinePlan> PlanPipeline(const Global& global, const PipelineOptions& options);

/// Runs the stages. An interrupt ends it with a runtime error whose hint says how to go on; nothing is lost.
Result<PipelineResult> RunPipeline(const Global& global, const PipelineOptions& options);

/// What a rebuilt model has in common with the shipped one.
struct Reproduction {
  bool same_data = false;                   ///< dataset and tokenizer
  bool same_weights = false;                ///< and the bytes of model.safetensors
  std::string dataset, tokenizer, weights;  ///< of the shipped model
};

/// Compares with recipe.json of a shipped model's folder ({"source", "dataset", "tokenizer", "weights"}) and writes the
/// finding to WORK/run/reproduced.json, where the gates of evaluation and report find it.
Result<Reproduction> CompareWithRecipe(const PipelineResult& result, const std::filesystem::path& model,
                                       const std::filesystem::path& work);

/// The shipped settings of a preset of `m31r run`: a file of configs/m31r/presets ("demo", "6m", "30m", ..).
Result<std::filesystem::path> PresetSettings(const std::string& preset);

}  // namespace pintle
