#include "train/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "formats/manifest.h"
#include "formats/safetensors.h"
#include "generate/model_folder.h"

namespace pintle {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

constexpr char kPrefix[] = "step-";

std::vector<SafetensorsItem> Items(const std::vector<NamedTensor>& tensors) {
  std::vector<SafetensorsItem> items;
  for (const auto& [name, tensor] : tensors) {
    std::vector<int64_t> shape;
    for (int i = 0; i < tensor.shape().rank(); ++i) shape.push_back(tensor.shape()[i]);
    items.push_back({name, FileDtype::kF32, std::move(shape), tensor.f32()});
  }
  return items;
}

Status CheckFinite(const std::vector<NamedTensor>& tensors) {
  for (const auto& [name, tensor] : tensors) {
    const auto values = tensor.F32Span();
    if (std::any_of(values.begin(), values.end(), [](float x) { return !std::isfinite(x); })) {
      return RuntimeError("'" + name + "' holds a number that is not finite; this state is not saved");
    }
  }
  return {};
}

}  // namespace

std::vector<fs::path> ListCheckpoints(const fs::path& run) {
  std::vector<fs::path> found;
  std::error_code code;
  for (fs::directory_iterator it(run / "checkpoints", code), end; !code && it != end; it.increment(code)) {
    const std::string name = it->path().filename().string();
    std::error_code missing;
    if (name.starts_with(kPrefix) && !name.ends_with(".partial") && fs::exists(it->path() / "manifest.json", missing)) {
      found.push_back(it->path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<fs::path> SaveCheckpoint(const fs::path& run, const Decoder& decoder, const Optimizer& optimizer,
                                const json::object& state, const std::string& config_toml, int64_t keep) {
  const auto weights = decoder.parameters().Weights();
  const auto moments = optimizer.State();
  PINTLE_RETURN_IF_ERROR(CheckFinite(weights));
  PINTLE_RETURN_IF_ERROR(CheckFinite(moments));
  const fs::path target = run / "checkpoints" / fmt::format("{}{:08}", kPrefix, optimizer.step());
  PINTLE_ASSIGN(StageOutput output, StageOutput::Create(target));
  const std::map<std::string, std::string> origin = {{"origin", decoder.config().origin}};
  PINTLE_RETURN_IF_ERROR(WriteSafetensors(output.folder() / "weights.safetensors", origin, Items(weights)));
  PINTLE_RETURN_IF_ERROR(WriteSafetensors(output.folder() / "optimizer.safetensors", {}, Items(moments)));
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(output.folder() / "state.json", DumpJson(state, 1) + "\n"));
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(output.folder() / "config.toml", config_toml));
  Manifest manifest;
  manifest.stage = "checkpoint";
  manifest.counts["step"] = optimizer.step();
  PINTLE_RETURN_IF_ERROR(output.Commit(std::move(manifest)));
  std::vector<fs::path> all = ListCheckpoints(run);
  for (size_t i = 0; i + static_cast<size_t>(keep) < all.size(); ++i) PINTLE_RETURN_IF_ERROR(RemoveAll(all[i]));
  return target;
}

Result<json::object> ReadCheckpointState(const fs::path& checkpoint) {
  PINTLE_RETURN_IF_ERROR(VerifyFolder(checkpoint));
  const fs::path path = checkpoint / "state.json";
  PINTLE_ASSIGN(const std::string text, ReadFile(path, 64 << 20));
  PINTLE_ASSIGN(const json::value value, ParseJson(text, path.string()));
  if (!value.is_object()) return ValidationError("the state is not a JSON object", path.string());
  return value.get_object();
}

Status LoadCheckpoint(const fs::path& checkpoint, Decoder& decoder, Optimizer& optimizer) {
  PINTLE_ASSIGN(const Manifest manifest, ReadManifest(checkpoint));
  PINTLE_RETURN_IF_ERROR(LoadWeights(checkpoint / "weights.safetensors", decoder));
  PINTLE_ASSIGN(const SafetensorsFile file, SafetensorsFile::Open(checkpoint / "optimizer.safetensors"));
  const auto moments = optimizer.State();
  if (file.tensors().size() != moments.size()) {
    return ValidationError("the optimizer state has " + std::to_string(file.tensors().size()) + " tensors, expected " +
                               std::to_string(moments.size()),
                           file.path().string());
  }
  for (const auto& [name, tensor] : moments) {
    PINTLE_RETURN_IF_ERROR(file.ReadFloatsInto(name, tensor.f32(), tensor.count()));
  }
  const auto step = manifest.counts.find("step");
  if (step == manifest.counts.end()) return ValidationError("the manifest counts no step", checkpoint.string());
  optimizer.set_step(step->second);
  return {};
}

}  // namespace pintle
