// A TRM on disk: config.json, model.safetensors (the reference's tensor names, fp32 or bf16) and manifest.json. Not
// here: training checkpoints (trainer.h), foreign files (import.h).
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/thread_pool.h"
#include "formats/safetensors.h"
#include "models/trm/trm.h"

namespace pintle {

/// Writes the model as a folder, atomically. `notes` (task, seed, accuracy, ...) go into the manifest and come back
/// from Load. In bf16 files the fixed states and the halting head stay fp32. Returns the SHA-256 of model.safetensors.
Result<std::string> SaveTrm(const std::filesystem::path& folder, const Trm& model,
                            const std::map<std::string, std::string>& notes, bool as_bf16 = false);

/// What a folder held.
struct LoadedTrm {
  std::unique_ptr<Trm> model;
  std::map<std::string, std::string> notes;
};
/// Checks the manifest's hashes, every shape, and that all values are finite; the first fault is a validation error.
Result<LoadedTrm> LoadTrm(const std::filesystem::path& folder, bool training, ThreadPool& pool);

/// Fills all weights of `model` from a safetensors file: exact names (leading "_orig_mod.", "model." and "inner." are
/// dropped), exact shapes, finite values. A file of fewer or more tensors is a validation error that names one. On an
/// error the model's weights are undefined.
Status ReadTrmWeights(const SafetensorsFile& file, Trm& model);

}  // namespace pintle
