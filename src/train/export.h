// `m31r export`: a trained model folder in, a release folder out: weights in the chosen form, config.json,
// tokenizer.json, the card, checksums.txt and manifest.json. Only models trained here are released.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace pintle {

/// What to export, and as what.
struct ExportOptions {
  std::filesystem::path model;    ///< a model folder
  std::filesystem::path out;      ///< replaced in one step if it is there
  std::filesystem::path metrics;  ///< metrics.json of an evaluation for the card; empty = none
  std::string format = "gguf";    ///< "safetensors" or "gguf"
  std::string type = "bf16";      ///< "f32", "f16", "bf16", "q8_0" (gguf alone)
};

/// What was written.
struct ExportSummary {
  std::string id;       ///< of the release's manifest
  std::string weights;  ///< file name
  std::string sha256;   ///< of the weights file
  uint64_t bytes = 0;
};

/// Matrices are written in the chosen type (Q8_0 where rows divide by 32, else F16), vectors always as F32. The result
/// is opened again and compared before it is put in place. The same model gives the same bytes.
Result<ExportSummary> ExportModel(const ExportOptions& options);

}  // namespace pintle
