#include "models/trm/model_folder.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "formats/manifest.h"
#include "kernels/elementwise.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

std::vector<NamedTensor> AllTensors(const Trm& model) {
  std::vector<NamedTensor> tensors = model.parameters().Weights();
  for (const NamedTensor& t : model.Buffers()) tensors.push_back(t);
  return tensors;
}

std::vector<int64_t> Extents(const Shape& shape) {
  std::vector<int64_t> extents;
  for (int i = 0; i < shape.rank(); ++i) extents.push_back(shape[i]);
  return extents;
}

// The name inside the model: training wrappers put their own words in front.
std::string_view InnerName(std::string_view name) {
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view prefix : {"_orig_mod.", "model.", "inner."}) {
      if (name.starts_with(prefix)) {
        name.remove_prefix(prefix.size());
        again = true;
      }
    }
  }
  return name;
}

}  // namespace

Result<std::string> SaveTrm(const fs::path& folder, const Trm& model, const std::map<std::string, std::string>& notes,
                            bool as_bf16) {
  PINTLE_ASSIGN(StageOutput output, StageOutput::Create(folder));
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(output.folder() / "config.json", TrmConfigJson(model.config())));
  std::vector<SafetensorsItem> items;
  std::vector<std::vector<kernels::bf16>> rounded;
  for (const NamedTensor& t : AllTensors(model)) {
    const bool narrow = as_bf16 && t.tensor.shape().rank() == 2 && t.name.rfind("q_head.", 0) != 0;
    const void* data = t.tensor.data();
    if (narrow) {
      std::vector<kernels::bf16>& copy = rounded.emplace_back(static_cast<size_t>(t.tensor.count()));
      std::transform(t.tensor.f32(), t.tensor.f32() + t.tensor.count(), copy.begin(), kernels::ReferenceToBF16);
      data = copy.data();
    }
    items.push_back({t.name, narrow ? FileDtype::kBF16 : FileDtype::kF32, Extents(t.tensor.shape()), data});
  }
  const fs::path file = output.folder() / "model.safetensors";
  PINTLE_RETURN_IF_ERROR(WriteSafetensors(file, {{"format", "pt"}}, std::move(items)));
  PINTLE_ASSIGN(const std::string sha256, Sha256HexOfFile(file));
  Manifest manifest;
  manifest.stage = "trm model";
  manifest.config_hash = Sha256Hex(TrmConfigJson(model.config()));
  manifest.counts["parameters"] = TrmParameterCount(model.config());
  manifest.notes = notes;
  PINTLE_ASSIGN(const std::string id, output.Commit(std::move(manifest)));
  return sha256;
}

Result<LoadedTrm> LoadTrm(const fs::path& folder, bool training, ThreadPool& pool) {
  PINTLE_RETURN_IF_ERROR(VerifyFolder(folder));
  PINTLE_ASSIGN(const Manifest manifest, ReadManifest(folder));
  if (manifest.stage != "trm model") {
    return ValidationError("this is a folder of stage '" + manifest.stage + "', not a TRM model", folder.string());
  }
  const fs::path config_file = folder / "config.json";
  PINTLE_ASSIGN(const std::string text, ReadFile(config_file));
  PINTLE_ASSIGN(const TrmConfig config, ParseTrmConfig(text, config_file.string()));
  LoadedTrm loaded;
  loaded.notes = manifest.notes;
  PINTLE_ASSIGN(loaded.model, Trm::Create(config, training, pool));
  PINTLE_ASSIGN(const SafetensorsFile file, SafetensorsFile::Open(folder / "model.safetensors"));
  PINTLE_RETURN_IF_ERROR(ReadTrmWeights(file, *loaded.model));
  return loaded;
}

Status ReadTrmWeights(const SafetensorsFile& file, Trm& model) {
  const std::string where = file.path().string();
  const std::vector<NamedTensor> tensors = AllTensors(model);
  size_t found = 0;
  for (const SafetensorsEntry& entry : file.tensors()) {
    const std::string_view name = InnerName(entry.name);
    const auto t = std::find_if(tensors.begin(), tensors.end(), [&](const NamedTensor& n) { return n.name == name; });
    if (t == tensors.end()) return ValidationError("the model has no tensor '" + entry.name + "'", where);
    if (entry.shape != Extents(t->tensor.shape())) {
      return ValidationError("'" + entry.name + "' has another shape than " + t->tensor.shape().ToString(), where,
                             "the configuration does not fit these weights");
    }
    PINTLE_RETURN_IF_ERROR(file.ReadFloatsInto(entry.name, t->tensor.f32(), t->tensor.count()));
    const float* values = t->tensor.f32();
    if (!std::all_of(values, values + t->tensor.count(), [](float v) { return std::isfinite(v); })) {
      return ValidationError("'" + entry.name + "' holds a value that is not finite", where);
    }
    ++found;
  }
  if (found != tensors.size()) {
    for (const NamedTensor& t : tensors) {
      const bool there = std::any_of(file.tensors().begin(), file.tensors().end(),
                                     [&](const SafetensorsEntry& entry) { return InnerName(entry.name) == t.name; });
      if (!there) return ValidationError("the tensor '" + t.name + "' is missing", where);
    }
    return ValidationError("a tensor stands twice under different names", where);
  }
  model.WeightsChanged();
  return {};
}

}  // namespace pintle
