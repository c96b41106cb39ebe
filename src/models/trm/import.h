// Published checkpoints of the reference implementation: PyTorch pickles or safetensors, with its tensor names and
// whatever wrappers stand in front of them, in and out. Not here: our own model folders (model_folder.h).
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "base/thread_pool.h"
#include "models/trm/trm.h"

namespace pintle {

/// What a checkpoint does not say; the rest follows from the shapes of its tensors.
struct TrmImportOptions {
  int64_t cells = 0;     ///< 0: from the token mixer; attention models need it
  int64_t prefix = 16;   ///< P
  int64_t heads = 8;     ///< of attention
  int64_t h_cycles = 3;  ///< T
  int64_t l_cycles = 6;  ///< n
  int64_t halt_max_steps = 16;
  int64_t inner_rounding = 0;  ///< 0: from the inner widths
};

/// Reads FILE.pt or FILE.safetensors into a bf16 model for use (fp32 weights stay as they are). Tensors that the
/// reference keeps beside the weights (rotation tables, the embeddings of the last batch) are left out; anything else
/// that does not fit is a validation error.
Result<std::unique_ptr<Trm>> ImportTrm(const std::filesystem::path& file, const TrmImportOptions& options,
                                       ThreadPool& pool);

/// Writes all weights in fp32 with the names of the reference's state dictionary ("model.inner.H_init", ...).
Status ExportTrm(const Trm& model, const std::filesystem::path& file);

}  // namespace pintle
