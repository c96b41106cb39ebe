#include "generate/model_folder.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "formats/half.h"
#include "formats/safetensors.h"

namespace pintle {
namespace fs = std::filesystem;
namespace {

std::vector<int64_t> Extents(const Shape& shape) {
  std::vector<int64_t> extents;
  extents.reserve(static_cast<size_t>(shape.rank()));
  for (int i = 0; i < shape.rank(); ++i) extents.push_back(shape[i]);
  return extents;
}

int64_t Elements(const SafetensorsFile& file) {
  int64_t sum = 0;
  for (const auto& entry : file.tensors()) sum += entry.elements();
  return sum;
}

// What the manifest says about model.safetensors after all files were compared with it; "" without a manifest.
Result<std::string> CheckedHash(const fs::path& folder) {
  std::error_code missing;
  if (!fs::exists(folder / "manifest.json", missing)) return std::string();
  PINTLE_RETURN_IF_ERROR(VerifyFolder(folder));
  PINTLE_ASSIGN(const Manifest manifest, ReadManifest(folder));
  for (const auto& file : manifest.outputs) {
    if (file.path == "model.safetensors") return file.sha256;
  }
  return ValidationError("the manifest lists no model.safetensors", folder.string());
}

}  // namespace

bool IsOwnModelFolder(const fs::path& path) {
  std::error_code code;
  if (!fs::is_directory(path, code)) return false;
  const auto text = ReadFile(path / "config.json", 1 << 20);
  if (!text.ok()) return true;  // loading it says what is missing
  const auto config = ParseJson(*text, path.string());
  return !config.ok() || !config->is_object() || config->get_object().contains("pintle");
}

Result<DecoderConfig> ReadModelConfig(const fs::path& folder) {
  const fs::path path = folder / "config.json";
  std::error_code missing;
  if (!fs::exists(path, missing)) {
    return RuntimeError("no model here: config.json is missing", folder.string(),
                        "a model folder holds config.json, model.safetensors and tokenizer.json; training writes one "
                        "to WORK/run/model");
  }
  PINTLE_ASSIGN(const std::string text, ReadFile(path, 1 << 20));
  return ParseDecoderConfig(text, path.string());
}

Status LoadWeights(const fs::path& file_path, Decoder& decoder) {
  PINTLE_ASSIGN(const SafetensorsFile file, SafetensorsFile::Open(file_path));
  const auto& parameters = decoder.parameters().all();
  for (const auto& parameter : parameters) {
    PINTLE_ASSIGN(const SafetensorsEntry* entry, file.Get(parameter.name));
    if (entry->shape != Extents(parameter.shape)) {
      return ValidationError("tensor '" + parameter.name + "' has another shape than " + parameter.shape.ToString() +
                                 " of the configuration",
                             file_path.string());
    }
    PINTLE_RETURN_IF_ERROR(file.ReadFloatsInto(parameter.name, parameter.weight.f32(), parameter.weight.count()));
  }
  if (file.tensors().size() != parameters.size()) {
    return ValidationError("it holds " + std::to_string(file.tensors().size()) + " tensors, the configuration wants " +
                               std::to_string(parameters.size()),
                           file_path.string());
  }
  decoder.WeightsChanged();
  return {};
}

Result<LoadedModel> LoadModelFolder(const fs::path& folder, ThreadPool& pool, kernels::KvType kv) {
  LoadedModel model;
  PINTLE_ASSIGN(DecoderConfig config, ReadModelConfig(folder));
  config.kv = kv;
  PINTLE_ASSIGN(model.weights_sha256, CheckedHash(folder));
  const fs::path weights = folder / "model.safetensors";
  if (model.weights_sha256.empty()) {
    PINTLE_ASSIGN(model.weights_sha256, Sha256HexOfFile(weights));
  }
  {
    PINTLE_ASSIGN(const SafetensorsFile file, SafetensorsFile::Open(weights));
    if (Elements(file) != ParameterCount(config)) {
      return ValidationError("the file holds " + std::to_string(Elements(file)) + " weights, config.json describes " +
                                 std::to_string(ParameterCount(config)),
                             weights.string());
    }
  }
  PINTLE_ASSIGN(Tokenizer tokenizer, Tokenizer::Load(folder));
  if (tokenizer.vocab_size() > config.vocab) {
    return ValidationError("the tokenizer has " + std::to_string(tokenizer.vocab_size()) + " tokens, the model " +
                               std::to_string(config.vocab),
                           folder.string());
  }
  model.tokenizer = std::make_shared<const Tokenizer>(std::move(tokenizer));
  PINTLE_ASSIGN(model.decoder, Decoder::Create(config, {}, pool));
  PINTLE_RETURN_IF_ERROR(LoadWeights(weights, *model.decoder));
  model.name = config.name.empty() ? fs::absolute(folder).lexically_normal().filename().string() : config.name;
  return model;
}

Status WriteModelFiles(const fs::path& folder, const Decoder& decoder, const Tokenizer& tokenizer) {
  const DecoderConfig& config = decoder.config();
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(folder / "config.json", DecoderConfigJson(config, tokenizer.end_of_text())));
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(folder / "tokenizer.json", tokenizer.ToJson()));
  std::vector<SafetensorsItem> items;
  std::vector<std::vector<uint16_t>> rounded;
  const auto weights = decoder.parameters().Weights();
  rounded.reserve(weights.size());
  for (const auto& [name, tensor] : weights) {
    if (config.dtype == DType::kF32 || tensor.shape().rank() < 2) {
      items.push_back({name, FileDtype::kF32, Extents(tensor.shape()), tensor.data()});
      continue;
    }
    auto& copy = rounded.emplace_back(static_cast<size_t>(tensor.count()));
    const float* values = tensor.f32();
    for (size_t i = 0; i < copy.size(); ++i) copy[i] = BF16OfFloat(values[i]);
    items.push_back({name, FileDtype::kBF16, Extents(tensor.shape()), copy.data()});
  }
  return WriteSafetensors(folder / "model.safetensors", {{"format", "pt"}, {"origin", config.origin}},
                          std::move(items));
}

}  // namespace pintle
