// `pintle pull`: fetch a model by name, from the hub or from an address. `pintle verify`: hash and check one again.
#include <fmt/format.h>

#include <filesystem>

#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "catalogue/pull.h"
#include "cli/model_argument.h"
#include "cli/verbs.h"
#include "formats/manifest.h"
#include "generate/gguf_model.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

struct PullArguments {
  std::string model, sha256;
  bool insecure = false;
};

Status Pull(const PullArguments& arguments, const Global& global) {
  if (!arguments.sha256.empty() && !IsSha256Hex(arguments.sha256)) {
    return UsageError("not 64 lower-case hexadecimal digits", "--sha256");
  }
  PullOptions options;
  options.hub = HubFromEnvironment();
  options.sha256 = arguments.sha256;
  options.plain_http = arguments.insecure;
  options.stop = Interrupted;
  PINTLE_ASSIGN(const PullSource source, FindPullSource(arguments.model, ShippedCatalogue(), options.hub));
  const ModelStore store = ModelStore::OfUser();
  LogInfo("pull", fmt::format("{} from {}", source.file, source.url));
  if (global.dry_run) return {};
  std::unique_ptr<Progress> progress;
  options.progress = [&](int64_t done, int64_t total) {
    if (!progress) progress = std::make_unique<Progress>("pull " + source.id, "B", static_cast<double>(total));
    progress->Update(static_cast<double>(done));
  };
  const Result<ModelFile> file = PullModel(source, store, options);
  progress.reset();
  if (!file.ok()) return file.error();
  PINTLE_ASSIGN(const std::optional<ModelLock> lock, store.ReadLock(source.file));
  const std::string sha256 = lock ? lock->sha256 : "";
  if (global.json) {
    fmt::print("{{\"id\":\"{}\",\"path\":{},\"bytes\":{},\"sha256\":\"{}\"}}\n", source.id,
               JsonQuote(file->path.string()), file->bytes, sha256);
  } else {
    fmt::print("{}\n", file->path.string());
    LogInfo("pull", fmt::format("{}, SHA-256 {}", HumanBytes(static_cast<double>(file->bytes)), sha256));
  }
  return {};
}

// A model of the store has a hash that it must have; any other file just has one.
Result<std::string> HashOf(const GgufFile& file) {
  const fs::path path = file.where();
  const ModelStore store = ModelStore::OfUser();
  std::error_code code;
  if (!fs::equivalent(path.parent_path().empty() ? "." : path.parent_path(), store.folder(), code)) {
    return file.Sha256();
  }
  const std::string name = path.filename().string();
  std::string wanted;
  for (const CatalogueModel& model : ShippedCatalogue()) {
    if (model.file == name) wanted = model.sha256;
  }
  return VerifyStored(name, store, wanted);
}

Status Verify(const std::string& model, const Global& global) {
  PINTLE_ASSIGN(const std::string path, ModelPath(model));
  std::error_code code;
  if (fs::is_directory(path, code) && fs::exists(fs::path(path) / "manifest.json", code)) {
    PINTLE_RETURN_IF_ERROR(VerifyFolder(path));
    PINTLE_ASSIGN(const Manifest manifest, ReadManifest(path));
    fmt::print("{}\n", global.json
                           ? fmt::format("{{\"id\":\"{}\",\"files\":{}}}", manifest.Id(), manifest.outputs.size())
                           : fmt::format("ok  {} files as the manifest says", manifest.outputs.size()));
    return {};
  }
  PINTLE_ASSIGN(const GgufFile file, GgufFile::Open(path));
  PINTLE_ASSIGN(const GgufDescription description, DescribeGguf(path, 0));
  ThreadPool pool(global.threads);
  PINTLE_RETURN_IF_ERROR(VerifyGguf(file, description.plan, pool));
  PINTLE_ASSIGN(const std::string sha256, HashOf(file));
  if (global.json) {
    fmt::print("{{\"sha256\":\"{}\",\"bytes\":{},\"parameters\":{}}}\n", sha256, description.file_bytes,
               ParameterCount(description.plan.config));
  } else {
    fmt::print("ok  {}: {:.1f} M weights, all finite; SHA-256 {}\n", description.name,
               static_cast<double>(ParameterCount(description.plan.config)) * 1e-6, sha256);
  }
  return {};
}

}  // namespace

void RegisterPull(Command& pintle) {
  auto pull = std::make_shared<PullArguments>();
  Command& verb = pintle.Add("pull", "fetch a model; an interrupted download goes on with the same command");
  verb.Option("model", pull->model, "an id of `pintle models`, hf:OWNER/NAME/FILE.gguf, or an https address")
      .Required();
  verb.Option("--sha256", pull->sha256, "the hash that the file must have");
  verb.Flag("--insecure", pull->insecure, "allow http:// to other machines");
  verb.Run([pull](const Global& global) { return Pull(*pull, global); });

  auto model = std::make_shared<std::string>();
  Command& verify = pintle.Add("verify", "hash a model again, and check its file down to every weight");
  verify.Option("model", *model, "an id of `pintle models`, a .gguf file, or a model folder").Required();
  verify.Run([model](const Global& global) { return Verify(*model, global); });
}

}  // namespace pintle
