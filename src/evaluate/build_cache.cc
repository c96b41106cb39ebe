#include "evaluate/build_cache.h"

#include <boost/json.hpp>

#include "base/file.h"
#include "base/json.h"

namespace pintle {
namespace json = boost::json;
namespace {

constexpr uint64_t kMaxFile = uint64_t{256} << 20;

bool ReadLine(std::string_view line, BuildCache& cache) {
  const Result<json::value> value = ParseJson(line, "build cache");
  if (!value.ok() || !value->is_object()) return false;
  const Result<std::string> key = JsonString(*value, "key", "build cache");
  const Result<int64_t> stage = JsonInt(*value, "stage", "build cache");
  const Result<std::string> message = JsonString(*value, "message", "build cache");
  const json::value* codes = value->as_object().if_contains("codes");
  if (!key.ok() || key->size() != 64 || !stage.ok() || *stage < 0 || *stage > static_cast<int64_t>(Stage::kPass) ||
      !message.ok() || codes == nullptr || !codes->is_array()) {
    return false;
  }
  Verdict verdict;
  verdict.stage = static_cast<Stage>(*stage);
  verdict.message = *message;
  for (const json::value& code : codes->as_array()) {
    if (!code.is_string()) return false;
    verdict.codes.emplace_back(code.as_string());
  }
  cache[*key] = std::move(verdict);
  return true;
}

}  // namespace

BuildCache LoadBuildCache(const std::filesystem::path& file) {
  BuildCache cache;
  const Result<std::string> text = ReadFile(file, kMaxFile);
  if (!text.ok()) return cache;
  for (size_t begin = 0; begin < text->size();) {
    const size_t end = std::min(text->find('\n', begin), text->size());
    ReadLine(std::string_view(*text).substr(begin, end - begin), cache);
    begin = end + 1;
  }
  return cache;
}

Status SaveBuildCache(const std::filesystem::path& file, const BuildCache& cache) {
  std::string text;
  for (const auto& [key, verdict] : cache) {
    const json::value line = {{"key", key},
                              {"stage", static_cast<int64_t>(verdict.stage)},
                              {"codes", json::value_from(verdict.codes)},
                              {"message", verdict.message}};
    text += DumpJson(line) + "\n";
  }
  if (file.has_parent_path()) PINTLE_RETURN_IF_ERROR(MakeFolder(file.parent_path()));
  return WriteFileAtomic(file, text);
}

}  // namespace pintle
