#include "train/export.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "formats/gguf_names.h"
#include "formats/half.h"
#include "formats/manifest.h"
#include "formats/safetensors.h"
#include "generate/generate.h"
#include "generate/model_folder.h"
#include "train/gguf_export.h"

namespace pintle {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

struct TypeRow {
  const char* name;
  GgufType gguf;
  FileDtype file;
  bool safetensors;
};
constexpr TypeRow kTypes[] = {{"f32", GgufType::kF32, FileDtype::kF32, true},
                              {"f16", GgufType::kF16, FileDtype::kF16, true},
                              {"bf16", GgufType::kBF16, FileDtype::kBF16, true},
                              {"q8_0", GgufType::kQ8_0, FileDtype::kI8, false}};

Result<TypeRow> FindType(const ExportOptions& options) {
  if (options.format != "gguf" && options.format != "safetensors") {
    return UsageError("unknown format '" + options.format + "'", "--format", "formats: safetensors, gguf");
  }
  for (const auto& row : kTypes) {
    if (options.type == row.name && (row.safetensors || options.format == "gguf")) return row;
  }
  return UsageError("no type '" + options.type + "' in " + options.format, "--type",
                    options.format == "gguf" ? "types: f32, f16, bf16, q8_0" : "types: f32, f16, bf16");
}

// Matrices in `dtype`, vectors as F32.
Status WriteConverted(const fs::path& path, const SafetensorsFile& weights, FileDtype dtype) {
  std::vector<std::vector<float>> floats;
  std::vector<std::string> halves;
  std::vector<SafetensorsItem> items;
  floats.reserve(weights.tensors().size());
  halves.reserve(weights.tensors().size());
  for (const auto& entry : weights.tensors()) {
    PINTLE_ASSIGN(std::vector<float> values, weights.ReadFloats(entry.name));
    if (dtype == FileDtype::kF32 || entry.shape.size() < 2) {
      items.push_back({entry.name, FileDtype::kF32, entry.shape, floats.emplace_back(std::move(values)).data()});
      continue;
    }
    std::string& bytes = halves.emplace_back();
    GgufEncode(dtype == FileDtype::kF16 ? GgufType::kF16 : GgufType::kBF16, values.data(),
               static_cast<int64_t>(values.size()), bytes);
    items.push_back({entry.name, dtype, entry.shape, bytes.data()});
  }
  return WriteSafetensors(path, weights.metadata(), std::move(items));
}

// Opens what was written as its readers will.
Status CheckGguf(const fs::path& path, const SafetensorsFile& weights, int64_t vocabulary) {
  PINTLE_ASSIGN(const GgufFile file, GgufFile::Open(path));
  for (const auto& entry : weights.tensors()) {
    const GgufTensor* tensor = file.header().FindTensor(GgufNameOf(entry.name));
    if (tensor == nullptr || tensor->shape != entry.shape) {
      return RuntimeError("the written file lacks '" + entry.name + "'", path.string());
    }
  }
  const GgufValue* tokens = file.header().Find("tokenizer.ggml.tokens");
  if (tokens == nullptr || static_cast<int64_t>(tokens->strings.size()) != vocabulary) {
    return RuntimeError("the written file lacks its vocabulary", path.string());
  }
  return {};
}

Status CheckModelFolder(const fs::path& folder) {
  PINTLE_ASSIGN(const std::unique_ptr<TextModel> model, TextModel::Load(folder.string(), 1));
  SampleOptions options;
  options.max_tokens = 4;
  PINTLE_RETURN_IF_ERROR(model->Complete("fn main() {", options));
  return {};
}

// Numbers and texts of a metrics file, nested names joined by dots.
void Flatten(const json::value& value, const std::string& name, std::string& rows) {
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) {
      Flatten(member.value(), name.empty() ? std::string(member.key()) : name + "." + std::string(member.key()), rows);
    }
  } else if (value.is_number() || value.is_bool()) {
    rows += "| " + name + " | " + DumpJson(value) + " |\n";
  }
}

Result<std::string> Card(const ExportOptions& options, const std::string& weights_name) {
  std::string card;
  std::error_code missing;
  if (fs::exists(options.model / "README.md", missing)) {
    PINTLE_ASSIGN(card, ReadFile(options.model / "README.md", 1 << 20));
  } else {
    card = "# " + options.model.filename().string() + "\n";
  }
  card += fmt::format("\n## This release\n\n`{}`: matrices in {}, vectors in f32. ", weights_name, options.type);
  card += options.format == "gguf"
              ? "llama.cpp runs it as architecture qwen3: `llama-cli -m " + weights_name +
                    " -no-cnv -p 'fn main() {'`. A plain prompt begins\nwith `<|endoftext|>` (added by itself).\n"
              : "A Hugging Face Qwen3 folder; `pintle m31r generate --model .` runs it.\n";
  card += "`checksums.txt` holds the SHA-256 of every file: `sha256sum -c checksums.txt`.\n";
  if (!options.metrics.empty()) {
    PINTLE_ASSIGN(const std::string text, ReadFile(options.metrics, 16 << 20));
    PINTLE_ASSIGN(const json::value metrics, ParseJson(text, options.metrics.string()));
    std::string rows;
    Flatten(metrics, "", rows);
    card += "\n## Measured\n\n| | |\n|---|---|\n" + rows;
  }
  return card;
}

Status WriteChecksums(const fs::path& folder, const std::vector<std::string>& names) {
  std::string lines;
  for (const auto& name : names) {
    PINTLE_ASSIGN(const std::string sha256, Sha256HexOfFile(folder / name));
    lines += sha256 + "  " + name + "\n";
  }
  return WriteFileAtomic(folder / "checksums.txt", lines);
}

}  // namespace

Result<ExportSummary> ExportModel(const ExportOptions& options) {
  PINTLE_ASSIGN(const TypeRow type, FindType(options));
  PINTLE_ASSIGN(const DecoderConfig config, ReadModelConfig(options.model));
  if (config.origin != "internal") {
    return ValidationError("this model is of origin '" + config.origin + "': only models trained here are released",
                           options.model.string());
  }
  std::error_code missing;
  std::string source_id;
  if (fs::exists(options.model / "manifest.json", missing)) {
    PINTLE_RETURN_IF_ERROR(VerifyFolder(options.model));
    PINTLE_ASSIGN(const Manifest manifest, ReadManifest(options.model));
    source_id = manifest.Id();
  }
  PINTLE_ASSIGN(const SafetensorsFile weights, SafetensorsFile::Open(options.model / "model.safetensors"));
  PINTLE_ASSIGN(const Tokenizer tokenizer, Tokenizer::Load(options.model));
  const std::string name = config.name.empty() ? "m31r" : config.name;

  ExportSummary summary;
  summary.weights = options.format == "gguf" ? name + "-" + options.type + ".gguf" : "model.safetensors";
  PINTLE_ASSIGN(StageOutput output, StageOutput::Create(options.out));
  const fs::path& folder = output.folder();
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(folder / "config.json", DecoderConfigJson(config, tokenizer.end_of_text())));
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(folder / "tokenizer.json", tokenizer.ToJson()));
  if (options.format == "gguf") {
    const fs::path path = folder / summary.weights;
    PINTLE_RETURN_IF_ERROR(WriteGgufModel(path, config, tokenizer, weights, name, type.gguf));
    PINTLE_RETURN_IF_ERROR(CheckGguf(path, weights, config.vocab));
  } else {
    PINTLE_RETURN_IF_ERROR(WriteConverted(folder / summary.weights, weights, type.file));
    PINTLE_RETURN_IF_ERROR(CheckModelFolder(folder));
  }
  PINTLE_ASSIGN(const std::string card, Card(options, summary.weights));
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(folder / "README.md", card));
  PINTLE_RETURN_IF_ERROR(WriteChecksums(folder, {"README.md", "config.json", summary.weights, "tokenizer.json"}));
  Manifest manifest;
  manifest.stage = "release";
  if (!source_id.empty()) manifest.inputs["model"] = source_id;
  manifest.counts["parameters"] = ParameterCount(config);
  manifest.notes = {{"format", options.format}, {"type", options.type}, {"origin", config.origin}};
  PINTLE_ASSIGN(summary.id, output.Commit(std::move(manifest)));
  PINTLE_ASSIGN(summary.sha256, Sha256HexOfFile(options.out / summary.weights));
  summary.bytes = static_cast<uint64_t>(fs::file_size(options.out / summary.weights, missing));
  return summary;
}

}  // namespace pintle
