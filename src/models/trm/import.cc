#include "models/trm/import.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "formats/safetensors.h"
#include "formats/torch_pickle.h"
#include "models/trm/foreign_weights.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

using Shapes = std::vector<std::pair<std::string, std::vector<int64_t>>>;

// What the reference registers but does not need to be told.
bool IsBeside(std::string_view name) {
  return name.starts_with("rotary_emb.") || name == "puzzle_emb.local_weights" || name == "puzzle_emb.local_ids";
}

// The coarsest rounding that gives the inner widths of the channel and of the position mixer, the paper's first; 256 if
// none does, for the error that the shapes will be.
int64_t InferRounding(TrmConfig config, int64_t channels, std::optional<int64_t> positions) {
  for (const int64_t rounding : {256, 128, 64, 32, 16, 8}) {
    config.inner_rounding = rounding;
    const bool fits = config.Inner(config.width) == channels;
    if (fits && positions.value_or(config.Inner(config.positions_count())) == config.Inner(config.positions_count())) {
      return rounding;
    }
  }
  return 256;
}

Result<TrmConfig> InferConfig(const Shapes& shapes, const TrmImportOptions& options, const std::string& where) {
  const auto shape = [&](std::string_view name) -> const std::vector<int64_t>* {
    const auto found = std::find_if(shapes.begin(), shapes.end(), [&](const auto& s) { return s.first == name; });
    return found != shapes.end() && found->second.size() == 2 ? &found->second : nullptr;
  };
  const auto* embedding = shape("embed_tokens.embedding_weight");
  const auto* puzzles = shape("puzzle_emb.weights");
  if (embedding == nullptr || puzzles == nullptr) {
    return ValidationError("this is no Tiny Recursive Model: embed_tokens or puzzle_emb is missing", where);
  }
  TrmConfig c;
  c.vocab = (*embedding)[0];
  c.width = (*embedding)[1];
  c.puzzle_ids = (*puzzles)[0];
  c.prefix = options.prefix;
  c.heads = options.heads;
  c.h_cycles = options.h_cycles;
  c.l_cycles = options.l_cycles;
  c.halt_max_steps = options.halt_max_steps;
  c.cells = options.cells;
  c.layers = 0;
  while (shape("L_level.layers." + std::to_string(c.layers) + ".mlp.down_proj.weight") != nullptr) ++c.layers;
  const auto* mixer = shape("L_level.layers.0.mlp_t.down_proj.weight");
  if (mixer != nullptr) {
    if (options.cells == 0) c.cells = (*mixer)[0] - options.prefix;
  } else {
    c.mixing = TrmMixing::kAttention;
    c.positions = TrmPositions::kRope;
    if (options.cells == 0) {
      return ValidationError("an attention model does not say how many cells its puzzles have", where,
                             "give --cells, 81 for Sudoku, 900 for mazes and ARC");
    }
  }
  c.inner_rounding = options.inner_rounding;
  if (const auto* down = shape("L_level.layers.0.mlp.down_proj.weight"); down != nullptr && c.inner_rounding == 0) {
    c.inner_rounding = InferRounding(c, (*down)[1], mixer == nullptr ? std::nullopt : std::optional((*mixer)[1]));
  }
  PINTLE_RETURN_IF_ERROR(ValidateTrmConfig(c, where));
  return c;
}

}  // namespace

Result<std::unique_ptr<Trm>> ImportTrm(const fs::path& path, const TrmImportOptions& options, ThreadPool& pool) {
  const std::string where = path.string();
  std::vector<ForeignTensor> tensors;
  Shapes shapes;
  std::string bytes;
  std::unique_ptr<SafetensorsFile> file;
  if (path.extension() == ".safetensors") {
    PINTLE_ASSIGN(SafetensorsFile opened, SafetensorsFile::Open(path));
    file = std::make_unique<SafetensorsFile>(std::move(opened));
    tensors = ForeignTensors(*file);
  } else {
    PINTLE_ASSIGN(bytes, ReadFile(path));
    PINTLE_ASSIGN(const std::vector<TorchTensor> parsed, ParseTorchArchive(bytes, where));
    for (const TorchTensor& t : parsed) {
      tensors.push_back({t.name, t.shape, [t](float* out, int64_t count) { return TorchFloats(t, out, count); }});
    }
  }
  std::erase_if(tensors, [](const ForeignTensor& t) { return IsBeside(TrmInnerName(t.name)); });
  for (const ForeignTensor& t : tensors) shapes.emplace_back(TrmInnerName(t.name), t.shape);
  PINTLE_ASSIGN(const TrmConfig config, InferConfig(shapes, options, where));
  PINTLE_ASSIGN(std::unique_ptr<Trm> model, Trm::Create(config, false, pool));
  PINTLE_RETURN_IF_ERROR(FillTrm(tensors, where, *model));
  return model;
}

Status ExportTrm(const Trm& model, const fs::path& path) {
  std::vector<SafetensorsItem> items;
  const auto add = [&](const NamedTensor& t) {
    items.push_back({"model.inner." + t.name, FileDtype::kF32, Extents(t.tensor.shape()), t.tensor.data()});
  };
  for (const NamedTensor& t : model.parameters().Weights()) add(t);
  for (const NamedTensor& t : model.Buffers()) add(t);
  // Into a sibling first, so that a kill leaves the old file or the new one.
  const fs::path partial = path.string() + ".partial";
  PINTLE_RETURN_IF_ERROR(WriteSafetensors(partial, {{"format", "pt"}}, std::move(items)));
  std::error_code error;
  fs::rename(partial, path, error);
  if (error) return RuntimeError("cannot put the file in place: " + error.message(), path.string());
  return {};
}

}  // namespace pintle
