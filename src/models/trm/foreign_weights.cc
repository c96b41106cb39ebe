#include "models/trm/foreign_weights.h"

#include <algorithm>
#include <cmath>

namespace pintle {

std::vector<ForeignTensor> ForeignTensors(const SafetensorsFile& file) {
  std::vector<ForeignTensor> tensors;
  for (const SafetensorsEntry& entry : file.tensors()) {
    tensors.push_back({entry.name, entry.shape, [&file, name = entry.name](float* out, int64_t count) {
                         return file.ReadFloatsInto(name, out, count);
                       }});
  }
  return tensors;
}

std::vector<int64_t> Extents(const Shape& shape) {
  std::vector<int64_t> extents(static_cast<size_t>(shape.rank()));
  for (int i = 0; i < shape.rank(); ++i) extents[static_cast<size_t>(i)] = shape[i];
  return extents;
}

std::string_view TrmInnerName(std::string_view name) {
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view prefix : {"_orig_mod.", "model.", "inner."}) {
      if (!name.starts_with(prefix)) continue;
      name.remove_prefix(prefix.size());
      again = true;
    }
  }
  return name;
}

Status FillTrm(const std::vector<ForeignTensor>& foreign, const std::string& where, Trm& model) {
  std::vector<NamedTensor> wanted = model.parameters().Weights();
  for (const NamedTensor& buffer : model.Buffers()) wanted.push_back(buffer);
  for (const ForeignTensor& from : foreign) {
    const auto to = std::find_if(wanted.begin(), wanted.end(),
                                 [&](const NamedTensor& t) { return t.name == TrmInnerName(from.name); });
    if (to == wanted.end()) {
      return ValidationError("the model has no tensor '" + from.name + "', or it stands there twice", where);
    }
    const Shape& shape = to->tensor.shape();
    if (from.shape != Extents(shape)) {
      return ValidationError("'" + from.name + "' has another shape than " + shape.ToString(), where,
                             "the configuration does not fit these weights");
    }
    PINTLE_RETURN_IF_ERROR(from.read(to->tensor.f32(), to->tensor.count()));
    const float* values = to->tensor.f32();
    if (!std::all_of(values, values + to->tensor.count(), [](float v) { return std::isfinite(v); })) {
      return ValidationError("'" + from.name + "' holds a value that is not finite", where);
    }
    wanted.erase(to);
  }
  if (!wanted.empty()) return ValidationError("the tensor '" + wanted[0].name + "' is missing", where);
  model.WeightsChanged();
  return {};
}

}  // namespace pintle
