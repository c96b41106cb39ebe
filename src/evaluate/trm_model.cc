#include "evaluate/trm_model.h"

#include <fmt/format.h>

#include "models/trm/model_folder.h"

namespace pintle {
namespace {

std::string Note(const std::map<std::string, std::string>& notes, const std::string& key) {
  const auto found = notes.find(key);
  return found == notes.end() ? std::string() : found->second;
}

Status CheckFit(const TrmConfig& network, const Task& task, const std::string& where) {
  const int64_t ids = task.info().puzzle_ids;
  if (network.cells == task.cells() && network.vocab == task.vocabulary() && network.puzzle_ids >= ids) return {};
  return ValidationError(
      fmt::format("the model has {} cells, {} symbols and {} puzzle ids; {} has {}, {} and {}", network.cells,
                  network.vocab, network.puzzle_ids, task.info().name, task.cells(), task.vocabulary(), ids),
      where, "choose the task and the options that it was trained for");
}

}  // namespace

Result<PuzzleModel> LoadPuzzleModel(const std::filesystem::path& folder, const PuzzleModelOptions& options,
                                    ThreadPool& pool) {
  PINTLE_ASSIGN(LoadedTrm loaded, LoadTrm(folder, false, pool));
  PuzzleModel puzzle;
  puzzle.model = std::move(loaded.model);
  puzzle.notes = std::move(loaded.notes);
  puzzle.trained_on_file = !Note(puzzle.notes, "data").empty();
  const std::string name = options.task.empty() ? Note(puzzle.notes, "task") : options.task;
  if (name.empty()) {
    return UsageError("the model does not say which task it solves", folder.string(),
                      "give --task NAME; `pintle trm tasks` lists them");
  }
  TaskOptions& task_options = puzzle.task_options;
  const std::string toml = name == Note(puzzle.notes, "task") ? Note(puzzle.notes, "task_options") : std::string();
  PINTLE_RETURN_IF_ERROR(LoadConfig(toml, folder.string(), [&](ConfigVisitor& v) { task_options.Visit(v); }));
  if (options.options) PINTLE_RETURN_IF_ERROR(options.options(task_options));
  PINTLE_ASSIGN(puzzle.task, MakeTask(name, task_options));
  const TrmConfig& network = puzzle.model->config();
  if (network.mixing == TrmMixing::kLocal && network.cells != puzzle.task->cells()) {
    PINTLE_RETURN_IF_ERROR(puzzle.model->SetGrid(puzzle.task->info().rows, puzzle.task->info().cols));
  }
  PINTLE_RETURN_IF_ERROR(CheckFit(puzzle.model->config(), *puzzle.task, folder.string()));
  const std::string& data = puzzle.task->info().data_sha256;
  if (!data.empty() && data != Note(puzzle.notes, "data")) {
    return ValidationError("the model was trained on other problems than those of " + task_options.data,
                           folder.string(), "give those that it was trained on: its puzzle embeddings know no others");
  }
  return puzzle;
}

}  // namespace pintle
