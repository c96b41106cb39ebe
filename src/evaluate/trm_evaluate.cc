#include "evaluate/trm_evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <optional>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "kernels/math.h"
#include "puzzles/puzzle_file.h"

namespace pintle {
namespace {

constexpr int64_t kChunk = 1024;                 // puzzles between two lines of progress
constexpr uint64_t kFirstGenerated = 1'000'000;  // behind the puzzles that trainers evaluate with
constexpr size_t kBins = 10;

Result<std::vector<Sample>> Puzzles(const Task& task, const TrmEvaluateOptions& options, ThreadPool& pool) {
  std::vector<Sample> samples;
  if (!options.data.empty()) {
    PINTLE_ASSIGN(const std::string text, ReadFile(options.data, uint64_t{1} << 30));
    PINTLE_ASSIGN(samples, ReadPuzzles(task, text, options.data));
    std::erase_if(samples, [&](const Sample& sample) { return !InSplit(task, sample.inputs, options.split); });
    if (samples.empty()) return ValidationError("no puzzle of this split", options.data);
    return samples;
  }
  if (options.generate < 1) return ValidationError("no puzzles to evaluate with");
  std::vector<std::optional<Result<Sample>>> found(static_cast<size_t>(options.generate));
  pool.ParallelFor(options.generate, [&](int64_t i) {
    found[static_cast<size_t>(i)].emplace(
        GenerateInSplit(task, options.seed, kFirstGenerated + static_cast<uint64_t>(i), options.split));
  });
  for (auto& one : found) {
    if (!one->ok()) return std::move(*one).error();
    samples.push_back(std::move(*one).value());
  }
  return samples;
}

bool OnCurve(int64_t step, int64_t depth) { return step == depth || (step & (step - 1)) == 0; }

// Adds the answers of one chunk to the evaluation.
class Scorer {
 public:
  Scorer(const PuzzleModel& puzzle, const TrmEvaluateOptions& options, TrmEvaluation& evaluation)
      : puzzle_(puzzle), options_(options), evaluation_(evaluation) {
    if (options.solve.early_stop) return;
    for (int64_t step = 1; step <= options.solve.depth; ++step) {
      if (OnCurve(step, options.solve.depth)) evaluation_.curve.push_back({step, {}, 0});
    }
  }

  void Begin(const TrmBatch& puzzles) {
    puzzles_ = &puzzles;
    content_.assign(static_cast<size_t>(puzzles.slots), 0);
  }

  void See(const TrmProgressView& view) {
    const int64_t vocab = puzzle_.model->config().vocab;
    for (TrmDepthPoint& point : evaluation_.curve) {
      if (point.depth != view.step) continue;
      point.score.Add(view.answer, Labels(view.puzzle), vocab);
      point.content += view.q > 0 ? 1 : 0;
    }
    uint8_t& content = content_[static_cast<size_t>(view.puzzle)];
    if (content == 0 && (view.q > 0 || view.step == options_.solve.depth)) {
      content = 1;
      evaluation_.early.Add(view.answer, Labels(view.puzzle), vocab);
      evaluation_.mean_steps += static_cast<double>(view.step);
    }
  }

  void End(std::span<const Sample> samples, std::span<const TrmSolution> solutions) {
    const int64_t vocab = puzzle_.model->config().vocab;
    for (size_t i = 0; i < samples.size(); ++i) {
      const TrmSolution& solution = solutions[i];
      const auto labels = Labels(static_cast<int64_t>(i));
      const bool exact = evaluation_.score.Add(solution.answer, labels, vocab);
      evaluation_.baseline.Add(puzzle_.task->Baseline(samples[i].inputs), labels, vocab);
      evaluation_.confirmed += puzzle_.task->Check(samples[i].inputs, solution.answer).right ? 1 : 0;
      const bool content = solution.q > 0;
      evaluation_.content += content ? 1 : 0;
      evaluation_.content_exact += content && exact ? 1 : 0;
      evaluation_.halt_right += content == exact ? 1 : 0;
      const double confidence = kernels::Sigmoid(solution.q);
      TrmCalibrationBin& bin =
          evaluation_.bins[std::min(static_cast<size_t>(confidence * static_cast<double>(kBins)), kBins - 1)];
      ++bin.count;
      bin.exact += exact ? 1 : 0;
      bin.confidence += confidence;
    }
  }

 private:
  [[nodiscard]] std::span<const int32_t> Labels(int64_t puzzle) const {
    const auto cells = static_cast<size_t>(puzzle_.task->cells());
    return {puzzles_->labels.data() + static_cast<size_t>(puzzle) * cells, cells};
  }

  const PuzzleModel& puzzle_;
  const TrmEvaluateOptions& options_;
  TrmEvaluation& evaluation_;
  const TrmBatch* puzzles_ = nullptr;
  std::vector<uint8_t> content_;
};

double Share(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Result<TrmEvaluation> EvaluateTrm(PuzzleModel& puzzle, const TrmEvaluateOptions& options, ThreadPool& pool) {
  PINTLE_ASSIGN(const std::vector<Sample> samples, Puzzles(*puzzle.task, options, pool));
  TrmEvaluation evaluation;
  evaluation.task = puzzle.task->info().name;
  evaluation.depth = options.solve.depth;
  evaluation.samples = options.solve.samples;
  evaluation.bins.resize(kBins);
  Scorer scorer(puzzle, options, evaluation);
  Progress progress("evaluate", "puzzles", static_cast<double>(samples.size()));
  double seconds = 0;
  for (size_t begin = 0; begin < samples.size(); begin += kChunk) {
    const std::span<const Sample> chunk(samples.data() + begin, std::min<size_t>(kChunk, samples.size() - begin));
    TrmBatch puzzles;
    for (const Sample& sample : chunk) {
      AppendPuzzle(puzzles, sample.inputs, sample.labels, sample.puzzle_id, kPad);
    }
    scorer.Begin(puzzles);
    const double start = MonotonicSeconds();
    PINTLE_ASSIGN(const std::vector<TrmSolution> solutions,
                  SolveTrm(*puzzle.model, puzzles, options.solve, [&](const TrmProgressView& v) { scorer.See(v); }));
    seconds += MonotonicSeconds() - start;
    scorer.End(chunk, solutions);
    progress.Update(static_cast<double>(begin + chunk.size()),
                    fmt::format("exact {:.1f} %", 100 * evaluation.score.ExactShare()));
  }
  const auto count = static_cast<double>(samples.size());
  evaluation.mean_steps /= count;
  evaluation.seconds_per_puzzle = seconds / count;
  for (TrmCalibrationBin& bin : evaluation.bins) {
    if (bin.count == 0) continue;
    bin.confidence /= static_cast<double>(bin.count);
    evaluation.calibration_error +=
        static_cast<double>(bin.count) / count * std::abs(bin.confidence - Share(bin.exact, bin.count));
  }
  return evaluation;
}

boost::json::object TrmEvaluationJson(const TrmEvaluation& evaluation) {
  boost::json::array curve, bins;
  for (const TrmDepthPoint& point : evaluation.curve) {
    curve.push_back({{"depth", point.depth},
                     {"exact", point.score.ExactShare()},
                     {"cells", point.score.CellShare()},
                     {"content", Share(point.content, point.score.puzzles)}});
  }
  for (const TrmCalibrationBin& bin : evaluation.bins) {
    bins.push_back({{"count", bin.count}, {"confidence", bin.confidence}, {"exact", Share(bin.exact, bin.count)}});
  }
  const int64_t count = evaluation.score.puzzles;
  return {{"task", evaluation.task},
          {"count", count},
          {"depth", evaluation.depth},
          {"samples", evaluation.samples},
          {"exact", evaluation.score.ExactShare()},
          {"cells", evaluation.score.CellShare()},
          {"confirmed", Share(evaluation.confirmed, count)},
          {"baseline", evaluation.baseline.ExactShare()},
          {"baseline_cells", evaluation.baseline.CellShare()},
          {"mean_steps", evaluation.mean_steps},
          {"seconds_per_puzzle", evaluation.seconds_per_puzzle},
          {"early_stop_exact", evaluation.early.ExactShare()},
          {"halt",
           {{"right", Share(evaluation.halt_right, count)},
            {"content", Share(evaluation.content, count)},
            {"content_exact", Share(evaluation.content_exact, evaluation.content)},
            {"calibration_error", evaluation.calibration_error},
            {"bins", bins}}},
          {"curve", curve}};
}

}  // namespace pintle
