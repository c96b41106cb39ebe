#include "cli/model_argument.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/config.h"
#include "base/log.h"
#include "base/time.h"
#include "catalogue/catalogue.h"
#include "catalogue/pull.h"
#include "catalogue/store.h"

namespace pintle {
namespace {

bool IsHere(const ModelFile& file) { return file.state == ModelState::kPresent || file.state == ModelState::kVerified; }

std::string PullHint(const CatalogueModel& model) {
  return fmt::format("`pintle pull {}` fetches it ({}, {})", model.id, HumanBytes(static_cast<double>(model.bytes)),
                     model.licence);
}

}  // namespace

Result<std::string> ModelPath(const std::string& text) {
  std::error_code code;
  if (std::filesystem::exists(text, code)) return text;
  const ModelStore store = ModelStore::OfUser();
  if (const CatalogueModel* model = FindCatalogueModel(ShippedCatalogue(), text)) {
    const ModelFile file = store.Look(model->file);
    if (IsHere(file)) return file.path.string();
    return RuntimeError(fmt::format("{} is {} on this machine", model->name, file.bytes > 0 ? "only partly" : "not"),
                        file.path.string(), PullHint(*model));
  }
  if (IsModelFileName(text) && IsHere(store.Look(text))) return (store.folder() / text).string();
  if (text.find_first_of("./") != std::string::npos) return text;  // whoever opens it says that there is no such file
  std::vector<std::string> ids;
  for (const CatalogueModel& model : ShippedCatalogue()) ids.push_back(model.id);
  const std::string near = NearestWord(text, ids);
  return UsageError("there is no model '" + text + "'", "",
                    near.empty() ? "give a .gguf file, or an id of `pintle models`" : "did you mean '" + near + "'?");
}

Result<std::string> ModelPathOrBest(const std::string& text) {
  if (!text.empty()) return ModelPath(text);
  const ModelStore store = ModelStore::OfUser();
  const int64_t memory = UsableMemory();
  const CatalogueModel *best = nullptr, *offer = nullptr;
  for (const CatalogueModel& model : ShippedCatalogue()) {
    if (model.ram_bytes > memory) continue;
    if (offer == nullptr || model.ram_bytes > offer->ram_bytes) offer = &model;
    if (IsHere(store.Look(model.file)) && (best == nullptr || model.ram_bytes > best->ram_bytes)) best = &model;
  }
  if (best != nullptr) {
    LogInfo("models", fmt::format("{}: the largest model here that fits this machine", best->id));
    return store.Look(best->file).path.string();
  }
  Error error = RuntimeError("no model is named, and none of the catalogue is here", store.folder().string(),
                             "name a .gguf file, or see `pintle models`");
  if (offer != nullptr) error.hint = "the largest that fits this machine: " + PullHint(*offer);
  return error;
}

}  // namespace pintle
