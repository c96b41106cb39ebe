// Checkpoints: WORK/run/checkpoints/step-NNNNNNNN/ with weights.safetensors (fp32), optimizer.safetensors, state.json
// (step, place in the data, guard, counts), config.toml and manifest.json. Written to a partial folder and put in place
// in one step; read only after every file's hash was compared.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "models/decoder/decoder.h"
#include "nn/optimizer.h"

namespace pintle {

/// The checkpoints in a run folder, oldest first; empty if there are none.
std::vector<std::filesystem::path> ListCheckpoints(const std::filesystem::path& run);

/// Writes the checkpoint of the optimizer's step, then removes all but the newest `keep`. Weights that are not finite
/// are refused (runtime error), so the newest checkpoint is always a good one. On any failure (full disk) the older
/// checkpoints are untouched.
Result<std::filesystem::path> SaveCheckpoint(const std::filesystem::path& run, const Decoder& decoder,
                                             const Optimizer& optimizer, const boost::json::object& state,
                                             const std::string& config_toml, int64_t keep);

/// Compares all hashes and reads the state; the tensors are untouched.
Result<boost::json::object> ReadCheckpointState(const std::filesystem::path& checkpoint);
/// Restores weights and optimizer from a checkpoint that ReadCheckpointState accepted.
Status LoadCheckpoint(const std::filesystem::path& checkpoint, Decoder& decoder, Optimizer& optimizer);

}  // namespace pintle
