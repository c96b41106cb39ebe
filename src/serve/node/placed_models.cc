#include "serve/node/placed_models.h"

#include <algorithm>
#include <filesystem>

#include "catalogue/catalogue.h"

namespace pintle {
namespace fs = std::filesystem;
namespace {

std::string NameOf(const std::string& file) {
  for (const CatalogueModel& model : ShippedCatalogue()) {
    if (model.file == file) return model.id;
  }
  return fs::path(file).stem().string();
}

}  // namespace

std::vector<PlacedModel> FindPlacedModels(const std::string& folder) {
  std::vector<PlacedModel> found;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    const std::string file = entry.path().filename().string();
    std::error_code failed;
    PlacedModel model;
    model.path = entry.path().string();
    if (IsModelFileName(file) && entry.is_regular_file(failed)) {
      model.name = NameOf(file);
      model.bytes = static_cast<int64_t>(entry.file_size(failed));
    } else if (!file.starts_with('.') && fs::exists(entry.path() / "config.json", failed)) {
      model.name = file;
    } else {
      continue;
    }
    model.modified = static_cast<int64_t>(entry.last_write_time(failed).time_since_epoch().count());
    if (!failed) found.push_back(std::move(model));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return found;
}

}  // namespace pintle
