#include "models/trm/model_folder.h"

#include <algorithm>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "formats/manifest.h"
#include "kernels/elementwise.h"
#include "models/trm/foreign_weights.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

std::vector<NamedTensor> AllTensors(const Trm& model) {
  std::vector<NamedTensor> tensors = model.parameters().Weights();
  for (const NamedTensor& t : model.Buffers()) tensors.push_back(t);
  return tensors;
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
  PINTLE_RETURN_IF_ERROR(output.Commit(std::move(manifest)));
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
  return FillTrm(ForeignTensors(file), file.path().string(), model);
}

}  // namespace pintle
