// libFuzzer target: the reader of PyTorch checkpoints on any bytes.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "formats/torch_pickle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto tensors = pintle::ParseTorchArchive(bytes, "fuzz");
  if (!tensors.ok()) return 0;
  for (const auto& tensor : *tensors) {
    PINTLE_CHECK(tensor.data.empty() || (tensor.data.data() >= bytes.data() &&
                                         tensor.data.data() + tensor.data.size() <= bytes.data() + bytes.size()),
                 "an accepted tensor lies outside the file");
  }
  return 0;
}
