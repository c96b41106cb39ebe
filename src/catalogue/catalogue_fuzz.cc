// Any bytes as a list of models: an error or a list, never more.
#include <cstdlib>

#include "catalogue/catalogue.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto models = pintle::ParseCatalogue({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!models.ok()) return 0;
  for (const auto& model : *models) {
    if (!pintle::IsModelFileName(model.file) || model.file.find('/') != std::string::npos) std::abort();
  }
  return 0;
}
