#include "cli/puzzle_solver.h"

#include <algorithm>
#include <filesystem>

#include "base/thread_pool.h"
#include "cli/data_files.h"
#include "evaluate/trm_solve.h"
#include "kernels/math.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

class TrmSolver final : public PuzzleSolver {
 public:
  TrmSolver(std::string name, PuzzleModel puzzle, std::shared_ptr<ThreadPool> pool)
      : pool_(std::move(pool)),
        puzzle_(std::move(puzzle)),
        info_{std::move(name), puzzle_.task->info().name, puzzle_.model->parameters().Count()} {}

  const Info& info() const override { return info_; }

  Result<PuzzleSolution> Solve(const std::string& text, int64_t depth) override {
    const Task& task = *puzzle_.task;
    PINTLE_ASSIGN(const Sample sample, ReadPuzzle(task, text, "puzzle"));
    TrmBatch batch;
    AppendPuzzle(batch, sample.inputs, {}, sample.puzzle_id, kPad);
    TrmSolveOptions options;
    options.depth = depth;
    options.early_stop = true;
    PuzzleSolution out;
    const auto keep = [&](const TrmProgressView& step) {
      out.steps.push_back({step.step, task.Line(step.answer), static_cast<double>(kernels::Sigmoid(step.q))});
    };
    PINTLE_ASSIGN(const std::vector<TrmSolution> solutions, SolveTrm(*puzzle_.model, batch, options, keep));
    const TrmSolution& solution = solutions.front();
    const Verdict verdict = task.Check(sample.inputs, solution.answer);
    out.puzzle = task.Line(sample.inputs);
    out.answer = task.Line(solution.answer);
    out.right = verdict.right;
    out.reason = verdict.reason;
    out.content = solution.q > 0;
    return out;
  }

 private:
  std::shared_ptr<ThreadPool> pool_;  // of the model: ends after it
  PuzzleModel puzzle_;
  Info info_;
};

}  // namespace

Result<std::vector<std::unique_ptr<PuzzleSolver>>> LoadPuzzleSolvers(const std::vector<std::string>& folders,
                                                                     int threads) {
  const auto pool = std::make_shared<ThreadPool>(threads);
  std::vector<std::unique_ptr<PuzzleSolver>> solvers;
  for (const std::string& folder : folders) {
    const fs::path path = fs::absolute(folder).lexically_normal();
    const std::string name = path.has_filename() ? path.filename().string() : path.parent_path().filename().string();
    PINTLE_ASSIGN(PuzzleModel puzzle, LoadPuzzleModel(folder, {}, *pool));
    solvers.push_back(std::make_unique<TrmSolver>(name, std::move(puzzle), pool));
  }
  return solvers;
}

Result<std::vector<std::string>> ShippedPuzzleModels() {
  PINTLE_ASSIGN(const fs::path models, FindDataFile("models"));
  std::vector<std::string> folders;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(models, code)) {
    const bool weights = fs::exists(entry.path() / "model.safetensors", code);
    if (weights && !fs::exists(entry.path() / "tokenizer.json", code)) folders.push_back(entry.path().string());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

}  // namespace pintle
