// PyTorch checkpoints (.pt of torch.save): a zip of stored entries, one of them a pickle that says which tensor lies in
// which entry. Pickles are programs; this reader is none: it knows the few operations that a dictionary of tensors
// needs, calls nothing, and refuses every name but those of tensors. Only dense tensors of numbers in row-major order.
// Not here: TorchScript, the format before torch 1.6, writing. Source: the pickle protocol 2 as documented with
// Python's pickletools; PKWARE's APPNOTE for zip and zip64.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/safetensors.h"

namespace pintle {

/// One tensor; `data` is a view into the archive.
struct TorchTensor {
  std::string name;  ///< keys of nested dictionaries joined by '.'
  FileDtype dtype = FileDtype::kF32;
  std::vector<int64_t> shape;
  std::string_view data;  ///< little endian, product of shape * element size bytes
};

/// All tensors of the archive in `bytes` (which must outlive them), in the order of the dictionary. Values that are no
/// tensors (numbers, strings) are left out. Anything unexpected is a validation error.
Result<std::vector<TorchTensor>> ParseTorchArchive(std::string_view bytes, const std::string& where);

/// All elements as float: exactly from F32, F16 and BF16, rounded from F64. Other dtypes are validation errors.
Status TorchFloats(const TorchTensor& tensor, float* out, int64_t count);

}  // namespace pintle
