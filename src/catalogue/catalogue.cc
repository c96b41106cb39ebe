#include "catalogue/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "base/check.h"
#include "base/config.h"
#include "base/toml_library.h"

namespace pintle {
namespace {

constexpr int64_t kMostBytes = int64_t{1} << 42;
constexpr size_t kLongestName = 200;

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && text[0] != '.' &&
         std::all_of(text.begin(), text.end(), IsPlain);
}

Status Check(const CatalogueModel& model) {
  if (!IsName(model.id)) return ConfigError(fmt::format("id '{}' is not of letters, digits and . _ -", model.id));
  const size_t slash = model.repository.find('/');
  if (slash == std::string::npos || !IsName(model.repository.substr(0, slash)) ||
      !IsName(model.repository.substr(slash + 1))) {
    return ConfigError(fmt::format("repository '{}' is not of the form OWNER/NAME", model.repository));
  }
  if (!IsModelFileName(model.file))
    return ConfigError(fmt::format("file '{}' is not of the form NAME.gguf", model.file));
  if (!model.sha256.empty() && !IsSha256Hex(model.sha256)) return ConfigError("sha256 is not 64 hexadecimal digits");
  if (model.bytes == 0 || model.ram_bytes == 0) return ConfigError("bytes and ram_bytes must be given");
  return {};
}

}  // namespace

bool IsModelFileName(std::string_view name) { return IsName(name) && name.ends_with(".gguf") && name.size() > 5; }

bool IsSha256Hex(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<std::vector<CatalogueModel>> ParseCatalogue(std::string_view text, const std::string& where) {
  // First what every settings file is checked for: that it is TOML, and has no other key.
  PINTLE_RETURN_IF_ERROR(LoadConfig(text, where, [](ConfigVisitor&) {}, {"model"}));
  const toml::parse_result parsed = toml::parse(text, where);
  const auto* tables = parsed.table().get_as<toml::array>("model");
  if (tables == nullptr || tables->empty()) return ConfigError("no [[model]] is listed", where);
  std::vector<CatalogueModel> models;
  std::set<std::string> ids, files;
  for (const auto& entry : *tables) {
    const std::string place = fmt::format("{}:{}", where, entry.source().begin.line);
    const auto* table = entry.as_table();
    if (table == nullptr) return ConfigError("[[model]] must be a table", place);
    CatalogueModel model;
    std::ostringstream one;
    one << *table;
    Status status = LoadConfig(one.str(), place, [&](ConfigVisitor& v) {
      v.String("id", model.id, {}, "what the user types");
      v.String("name", model.name, {}, "what the user reads");
      v.String("repository", model.repository, {}, "OWNER/NAME on the hub");
      v.String("file", model.file, {}, "NAME.gguf in it");
      v.String("licence", model.licence, {}, "of the weights");
      v.String("sha256", model.sha256, {}, "of the file");
      v.Int("bytes", model.bytes, 0, kMostBytes, "of the file");
      v.Int("ram_bytes", model.ram_bytes, 0, kMostBytes, "of a process that talks with it");
      v.Bool("gated", model.gated, "the hub wants an account that has accepted the licence");
    });
    if (status.ok()) status = Check(model);
    if (status.ok() && (!ids.insert(model.id).second || !files.insert(model.file).second)) {
      status = ConfigError(fmt::format("'{}' or its file stands twice", model.id));
    }
    if (!status.ok()) {
      Error error = status.error();
      error.where = place;  // the line of the model in the real file
      return error;
    }
    models.push_back(std::move(model));
  }
  return models;
}

const std::vector<CatalogueModel>& ShippedCatalogue() {
  static const std::vector<CatalogueModel> models = [] {
    auto parsed = ParseCatalogue(ShippedCatalogueText(), "configs/models.toml");
    PINTLE_CHECK(parsed.ok(), "configs/models.toml is in order");
    return *std::move(parsed);
  }();
  return models;
}

const CatalogueModel* FindCatalogueModel(const std::vector<CatalogueModel>& models, std::string_view id) {
  const auto found = std::find_if(models.begin(), models.end(), [&](const CatalogueModel& m) { return m.id == id; });
  return found == models.end() ? nullptr : &*found;
}

}  // namespace pintle
