// A TRM folder together with the task it was trained for: what evaluation and solving start from. The task and its
// options stand in the model's notes. Not here: the weights' format (models/trm/model_folder.h).
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/thread_pool.h"
#include "models/trm/trm.h"
#include "puzzles/task.h"

namespace pintle {

/// A model and its task; they fit each other.
struct PuzzleModel {
  std::unique_ptr<Trm> model;
  std::unique_ptr<Task> task;
  TaskOptions task_options;                  ///< what the task was made with
  std::map<std::string, std::string> notes;  ///< "seed", "steps", "exact", ... as the trainer left them
  bool trained_on_file = false;              ///< puzzles of a file were among its training data
};

/// What may be chosen about the task of a model; unset = as in the model's notes.
struct PuzzleModelOptions {
  std::string task;                             ///< another task of the same cells and symbols, or "" (needed for
                                                ///< imported models, whose notes name none)
  std::function<Status(TaskOptions&)> options;  ///< changes the task's options, or null
};

/// Loads and checks both. A damaged folder, a task that the model does not fit, or a task made from other files than
/// those it was trained on (ARC), is a validation error.
Result<PuzzleModel> LoadPuzzleModel(const std::filesystem::path& folder, const PuzzleModelOptions& options,
                                    ThreadPool& pool);

}  // namespace pintle
