// Filling a model from tensors of any origin: names, shapes and values are checked the same way wherever they come
// from.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/safetensors.h"
#include "models/trm/trm.h"

namespace pintle {

/// A tensor of a file; `read` converts its elements to float.
struct ForeignTensor {
  std::string name;
  std::vector<int64_t> shape;
  std::function<Status(float* out, int64_t count)> read;
};

/// All tensors of a file, which must outlive them.
std::vector<ForeignTensor> ForeignTensors(const SafetensorsFile& file);
/// A shape as files have it.
std::vector<int64_t> Extents(const Shape& shape);
/// The name inside the model: what compilers and training wrappers put in front is dropped.
std::string_view TrmInnerName(std::string_view name);
/// See ReadTrmWeights in model_folder.h.
Status FillTrm(const std::vector<ForeignTensor>& tensors, const std::string& where, Trm& model);

}  // namespace pintle
