#include "formats/manifest.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"

namespace pintle {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

constexpr char kFileName[] = "manifest.json";

json::object Content(const Manifest& m) {
  json::object root;
  root["stage"] = m.stage;
  root["tool"] = m.tool;
  root["config"] = m.config_hash;
  auto& inputs = root["inputs"].emplace_object();
  for (const auto& [name, id] : m.inputs) inputs[name] = id;
  auto& outputs = root["outputs"].emplace_array();
  for (const auto& file : m.outputs) {
    outputs.push_back(json::object{{"path", file.path}, {"sha256", file.sha256}, {"size", file.size}});
  }
  auto& counts = root["counts"].emplace_object();
  for (const auto& [name, count] : m.counts) counts[name] = count;
  auto& notes = root["notes"].emplace_object();
  for (const auto& [name, note] : m.notes) notes[name] = note;
  return root;
}

bool SafeRelative(const std::string& path) {
  const fs::path p(path);
  if (path.empty() || p.is_absolute()) return false;
  return std::none_of(p.begin(), p.end(), [](const fs::path& part) { return part == ".."; });
}

Status HashTree(const fs::path& folder, std::vector<ManifestFile>& files) {
  std::error_code code;
  std::vector<fs::path> paths;
  for (auto it = fs::recursive_directory_iterator(folder, code); !code && it != fs::end(it); it.increment(code)) {
    if (it->is_regular_file(code)) paths.push_back(it->path());
    if (it->is_directory(code)) PINTLE_RETURN_IF_ERROR(SyncFolder(it->path()));
  }
  if (code) return RuntimeError("cannot list the folder: " + code.message(), folder.string());
  std::vector<std::pair<std::string, fs::path>> named;
  named.reserve(paths.size());
  for (const auto& path : paths) named.emplace_back(path.lexically_relative(folder).generic_string(), path);
  std::sort(named.begin(), named.end());
  for (const auto& [name, path] : named) {
    if (name == kFileName) continue;
    PINTLE_ASSIGN(std::string sha256, Sha256HexOfFile(path));
    files.push_back({name, std::move(sha256), static_cast<uint64_t>(fs::file_size(path, code))});
    PINTLE_ASSIGN(File file, File::OpenRead(path));
    PINTLE_RETURN_IF_ERROR(file.Sync());
  }
  return {};
}

}  // namespace

std::string Manifest::Id() const { return Sha256Hex(DumpJson(Content(*this))); }

std::string Manifest::ToJson() const {
  json::object root = Content(*this);
  root["id"] = Id();
  return DumpJson(root, 1) + "\n";
}

Result<Manifest> ReadManifest(const fs::path& folder) {
  const fs::path path = folder / kFileName;
  std::error_code missing;
  if (!fs::exists(path, missing)) {
    return RuntimeError("no manifest.json: the stage that makes this folder has not finished", folder.string(),
                        "run the earlier stage first; `pintle m31r run` runs them in order");
  }
  PINTLE_ASSIGN(const std::string text, ReadFile(path, 64 << 20));
  const std::string where = path.string();
  PINTLE_ASSIGN(const json::value root, ParseJson(text, where));
  Manifest m;
  PINTLE_ASSIGN(m.stage, JsonString(root, "stage", where));
  PINTLE_ASSIGN(m.config_hash, JsonString(root, "config", where));
  PINTLE_ASSIGN(const std::string id, JsonString(root, "id", where));
  PINTLE_ASSIGN(m.tool, JsonString(root, "tool", where));
  const auto* object = root.if_object();
  const auto* inputs = object->if_contains("inputs");
  const auto* outputs = object->if_contains("outputs");
  const auto* counts = object->if_contains("counts");
  const auto* notes = object->if_contains("notes");
  if (inputs == nullptr || !inputs->is_object() || outputs == nullptr || !outputs->is_array() || counts == nullptr ||
      !counts->is_object() || notes == nullptr || !notes->is_object()) {
    return ValidationError("inputs, outputs, counts or notes are missing", where);
  }
  for (const auto& member : inputs->get_object()) {
    PINTLE_ASSIGN(m.inputs[std::string(member.key())], JsonString(*inputs, member.key(), where));
  }
  for (const auto& item : outputs->get_array()) {
    ManifestFile file;
    PINTLE_ASSIGN(file.path, JsonString(item, "path", where));
    PINTLE_ASSIGN(file.sha256, JsonString(item, "sha256", where));
    PINTLE_ASSIGN(const int64_t size, JsonInt(item, "size", where));
    if (!SafeRelative(file.path) || size < 0) return ValidationError("bad output entry '" + file.path + "'", where);
    file.size = static_cast<uint64_t>(size);
    m.outputs.push_back(std::move(file));
  }
  for (const auto& member : counts->get_object()) {
    PINTLE_ASSIGN(m.counts[std::string(member.key())], JsonInt(*counts, member.key(), where));
  }
  for (const auto& member : notes->get_object()) {
    PINTLE_ASSIGN(m.notes[std::string(member.key())], JsonString(*notes, member.key(), where));
  }
  if (m.tool == kToolVersion && m.Id() != id) {
    return ValidationError("the manifest does not match its own id: it was changed by hand or damaged", where,
                           "remove the folder and run its stage again");
  }
  return m;
}

Status VerifyFolder(const fs::path& folder) {
  PINTLE_ASSIGN(const Manifest manifest, ReadManifest(folder));
  for (const auto& file : manifest.outputs) {
    const fs::path path = folder / file.path;
    std::error_code code;
    const auto size = fs::file_size(path, code);
    if (code) return ValidationError("a file of the manifest is missing", path.string());
    if (size != file.size) {
      return ValidationError("size is " + std::to_string(size) + ", the manifest says " + std::to_string(file.size),
                             path.string());
    }
    PINTLE_ASSIGN(const std::string sha256, Sha256HexOfFile(path));
    if (sha256 != file.sha256) {
      return ValidationError("SHA-256 is " + sha256 + ", the manifest says " + file.sha256, path.string());
    }
  }
  return {};
}

Result<StageOutput> StageOutput::Create(const fs::path& target) {
  StageOutput output;
  std::error_code code;
  output.target_ = fs::absolute(target, code).lexically_normal();
  if (!output.target_.has_filename()) output.target_ = output.target_.parent_path();
  output.partial_ = output.target_.string() + ".partial";
  PINTLE_RETURN_IF_ERROR(RemoveAll(output.partial_));
  PINTLE_RETURN_IF_ERROR(MakeFolder(output.partial_));
  return output;
}

StageOutput::~StageOutput() {
  std::error_code code;
  if (!partial_.empty()) fs::remove_all(partial_, code);
}

Result<std::string> StageOutput::Commit(Manifest manifest) {
  manifest.outputs.clear();
  PINTLE_RETURN_IF_ERROR(HashTree(partial_, manifest.outputs));
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(partial_ / kFileName, manifest.ToJson()));
  PINTLE_RETURN_IF_ERROR(ReplaceFolder(partial_, target_));
  return manifest.Id();
}

bool UpToDate(const fs::path& folder, const std::string& stage, const std::string& config_hash,
              const std::map<std::string, std::string>& inputs) {
  const auto manifest = ReadManifest(folder);
  if (!manifest.ok() || manifest->tool != kToolVersion || manifest->stage != stage ||
      manifest->config_hash != config_hash || manifest->inputs != inputs) {
    return false;
  }
  return std::all_of(manifest->outputs.begin(), manifest->outputs.end(), [&](const ManifestFile& file) {
    std::error_code code;
    return fs::file_size(folder / file.path, code) == file.size && !code;
  });
}

}  // namespace pintle
