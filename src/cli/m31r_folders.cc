// `pintle m31r verify | info | clean`: looks after the folders that the stages write.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"
#include "cli/verbs.h"
#include "formats/manifest.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

bool HasManifest(const fs::path& folder) {
  std::error_code code;
  return fs::is_regular_file(folder / "manifest.json", code);
}

// The folder itself if it has a manifest, else every folder below it that has one, sorted.
Result<std::vector<fs::path>> ManifestFolders(const fs::path& path) {
  std::error_code code;
  if (!fs::exists(path, code)) return RuntimeError("no such folder", path.string());
  if (!fs::is_directory(path, code)) {
    return UsageError("not a folder", path.string(), "give the folder with the manifest.json that lists it");
  }
  if (HasManifest(path)) return std::vector<fs::path>{path};
  std::vector<fs::path> folders;
  for (auto it = fs::recursive_directory_iterator(path, code); !code && it != fs::end(it); it.increment(code)) {
    if (it->is_directory(code) && HasManifest(it->path())) folders.push_back(it->path());
  }
  if (folders.empty()) {
    return RuntimeError("no manifest.json here or below", path.string(), "`pintle m31r run` makes such folders");
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

// Downloads carry their SHA-256 as their name.
Status VerifyArchives(const fs::path& folder, int64_t& files) {
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    const std::string name = entry.path().stem().string();
    constexpr size_t kHexDigits = 64;
    if (!entry.is_regular_file(code) || name.size() != kHexDigits) continue;
    PINTLE_ASSIGN(const std::string hash, Sha256HexOfFile(entry.path()));
    if (hash != name) {
      return ValidationError("SHA-256 is " + hash + ", not its name", entry.path().string(),
                             "remove it; `pintle m31r crawl` fetches it again");
    }
    ++files;
  }
  return {};
}

Status Verify(const std::string& path, const Global& global) {
  PINTLE_ASSIGN(const auto folders, ManifestFolders(path));
  int64_t archives = 0;
  PINTLE_RETURN_IF_ERROR(VerifyArchives(fs::path(path) / "archives", archives));
  if (archives > 0 && !global.json) {
    fmt::print("ok  {:<40} {:<10} {} files\n", (fs::path(path) / "archives").string(), "download", archives);
  }
  boost::json::array list;
  for (const auto& folder : folders) {
    PINTLE_RETURN_IF_ERROR(VerifyFolder(folder));
    PINTLE_ASSIGN(const Manifest manifest, ReadManifest(folder));
    if (global.json) {
      list.push_back(boost::json::object{{"folder", folder.string()},
                                         {"stage", manifest.stage},
                                         {"id", manifest.Id()},
                                         {"files", manifest.outputs.size()}});
    } else {
      fmt::print("ok  {:<40} {:<10} {} files  {}\n", folder.string(), manifest.stage, manifest.outputs.size(),
                 manifest.Id());
    }
  }
  if (global.json) {
    fmt::print("{}\n", DumpJson(boost::json::object{{"verified", list}, {"archives", archives}}));
  }
  return {};
}

Status Info(const std::string& path, const Global& global) {
  PINTLE_ASSIGN(const auto folders, ManifestFolders(path));
  boost::json::array list;
  for (const auto& folder : folders) {
    PINTLE_ASSIGN(const Manifest manifest, ReadManifest(folder));
    if (global.json) {
      PINTLE_ASSIGN(boost::json::value entry, ParseJson(manifest.ToJson(), folder.string()));
      entry.as_object()["folder"] = folder.string();
      list.push_back(std::move(entry));
      continue;
    }
    uint64_t bytes = 0;
    for (const auto& file : manifest.outputs) bytes += file.size;
    fmt::print("{}\n  stage {}, {} files, {}\n  id {}\n", folder.string(), manifest.stage, manifest.outputs.size(),
               HumanBytes(static_cast<double>(bytes)), manifest.Id());
    for (const auto& [name, id] : manifest.inputs) fmt::print("  from {} {:.12}\n", name, id);
    for (const auto& [name, count] : manifest.counts) fmt::print("  {:<44} {:>14}\n", name, count);
    for (const auto& [name, note] : manifest.notes) fmt::print("  {}: {}\n", name, note);
  }
  if (global.json) fmt::print("{}\n", DumpJson(boost::json::object{{"folders", list}}));
  return {};
}

// What clean may take: what a stage can make again. Checkpoints, models and run logs are never among it.
Status Clean(const std::string& work, bool all, const Global& global) {
  std::error_code code;
  if (!fs::is_directory(fs::path(work) / "raw", code) && !fs::is_directory(fs::path(work) / "dataset", code)) {
    return RuntimeError("not a work folder: neither raw nor dataset is in it", work);
  }
  std::vector<fs::path> targets;
  std::vector<std::string> names = {"raw", "filtered", "shards"};
  if (all) names.insert(names.end(), {"archives", "dataset", "tokenizer", "eval"});
  for (const auto& name : names) {
    if (fs::exists(fs::path(work) / name, code)) targets.push_back(fs::path(work) / name);
  }
  for (const auto& entry : fs::directory_iterator(work, code)) {
    if (entry.path().extension() == ".partial") targets.push_back(entry.path());
  }
  for (const auto& target : targets) {
    uintmax_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(target, code)) {
      if (entry.is_regular_file(code)) bytes += entry.file_size(code);
    }
    fmt::print("{} {} ({})\n", global.dry_run ? "would remove" : "removed", target.string(),
               HumanBytes(static_cast<double>(bytes)));
    if (!global.dry_run) PINTLE_RETURN_IF_ERROR(RemoveAll(target));
  }
  return {};
}

}  // namespace

void RegisterM31rFolders(Command& m31r) {
  struct Options {
    std::string path, work;
    bool all = false;
  };
  auto options = std::make_shared<Options>();
  Command& verify = m31r.Add("verify", "hash every file again and compare with the manifests");
  verify.Option("path", options->path, "a stage folder, a model, or a work folder").Required();
  verify.Run([options](const Global& global) { return Verify(options->path, global); });

  Command& info = m31r.Add("info", "what the folders hold: stages, hashes, counts");
  info.Option("path", options->path, "a stage folder, a model, or a work folder").Required();
  info.Run([options](const Global& global) { return Info(options->path, global); });

  Command& clean = m31r.Add("clean", "remove what the stages can make again; never checkpoints or models");
  clean.Option("--work", options->work, "the work folder").Required();
  clean.Flag("--all", options->all, "also archives, dataset, tokenizer and evaluation");
  clean.Run([options](const Global& global) { return Clean(options->work, options->all, global); });
}

}  // namespace pintle
