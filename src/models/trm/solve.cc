#include "models/trm/solve.h"

#include <algorithm>

#include "base/check.h"
#include "base/interrupt.h"

namespace pintle {
namespace {

// Slot `from` of a batch and its carry becomes slot `to` (to <= from).
void MoveSlot(int64_t from, int64_t to, int64_t cells, int64_t state, TrmBatch& batch, TrmCarry& carry) {
  if (from == to) return;
  std::copy_n(batch.inputs.begin() + from * cells, cells, batch.inputs.begin() + to * cells);
  batch.puzzle_ids[static_cast<size_t>(to)] = batch.puzzle_ids[static_cast<size_t>(from)];
  std::copy_n(carry.z_h.begin() + from * state, state, carry.z_h.begin() + to * state);
  std::copy_n(carry.z_l.begin() + from * state, state, carry.z_l.begin() + to * state);
}

void Shrink(int64_t slots, int64_t cells, int64_t state, TrmBatch& batch, TrmCarry& carry) {
  batch.slots = carry.slots = slots;
  batch.inputs.resize(static_cast<size_t>(slots * cells));
  batch.puzzle_ids.resize(static_cast<size_t>(slots));
  carry.z_h.resize(static_cast<size_t>(slots * state));
  carry.z_l.resize(static_cast<size_t>(slots * state));
}

Status CheckOptions(const Trm& model, const TrmBatch& puzzles, const TrmSolveOptions& options) {
  constexpr int64_t kMost = 1024;
  if (options.depth < 1 || options.depth > kMost) return ValidationError("the depth must be 1 .. 1024");
  if (options.samples < 1 || options.samples > kMost) return ValidationError("the samples must be 1 .. 1024");
  if (!(options.noise >= 0 && options.noise <= 100)) return ValidationError("the noise must be 0 .. 100");
  if (options.batch < 1 || options.batch > 65536) return ValidationError("the batch must be 1 .. 65536");
  if (puzzles.inputs.size() != static_cast<size_t>(puzzles.slots * model.config().cells) ||
      puzzles.puzzle_ids.size() != static_cast<size_t>(puzzles.slots)) {
    return ValidationError("the puzzles do not fit the model: it takes " + std::to_string(model.config().cells) +
                           " cells");
  }
  return {};
}

// Runs slots side by side: puzzles of a range without noise, or samples of one puzzle.
class Group {
 public:
  Group(Trm& model, const TrmSolveOptions& options) : model_(model), options_(options) {}

  void Add(const TrmBatch& puzzles, int64_t puzzle) {
    const int64_t cells = model_.config().cells;
    batch_.inputs.insert(batch_.inputs.end(), puzzles.inputs.begin() + puzzle * cells,
                         puzzles.inputs.begin() + (puzzle + 1) * cells);
    batch_.puzzle_ids.push_back(puzzles.puzzle_ids[static_cast<size_t>(puzzle)]);
    owner_.push_back(batch_.slots++);
  }

  // The solutions by slot as added. `noisy`: all slots but 0 get noise before each step, a function of the slot, so no
  // slot may leave before the end.
  Status Run(bool noisy, std::vector<TrmSolution>& solutions, const TrmProgress& progress, int64_t first_puzzle) {
    const TrmConfig& config = model_.config();
    const int64_t cells = config.cells, state = config.positions_count() * config.width;
    solutions.assign(static_cast<size_t>(batch_.slots), {});
    std::vector<uint8_t> stopped(static_cast<size_t>(batch_.slots), 0);
    TrmCarry carry = model_.NewCarry(batch_.slots);
    TrmAnswer answer;
    for (int64_t step = 1; step <= options_.depth && batch_.slots > 0; ++step) {
      if (Interrupted()) return RuntimeError("interrupted");
      if (noisy) AddNoise(carry, state, step);
      PINTLE_RETURN_IF_ERROR(model_.Step(batch_, carry, answer));
      const std::vector<int32_t> symbols = TrmArgmax(answer.logits, config.vocab);
      int64_t kept = 0;
      for (int64_t slot = 0; slot < batch_.slots; ++slot) {
        const int64_t owner = owner_[static_cast<size_t>(slot)];
        TrmSolution& solution = solutions[static_cast<size_t>(owner)];
        const std::span<const int32_t> cells_of(symbols.data() + slot * cells, static_cast<size_t>(cells));
        const float q = answer.q[static_cast<size_t>(slot)];
        if (progress && (!noisy || owner == 0)) progress({first_puzzle + (noisy ? 0 : owner), step, cells_of, q});
        if (stopped[static_cast<size_t>(owner)] == 0) {
          solution.steps = step;
          solution.q = q;
          solution.answer.assign(cells_of.begin(), cells_of.end());
          if (q > 0 && solution.content_step == 0) solution.content_step = step;
          if (options_.keep_logits) {
            const auto begin = answer.logits.begin() + slot * cells * config.vocab;
            solution.logits.assign(begin, begin + cells * config.vocab);
          }
          stopped[static_cast<size_t>(owner)] = options_.early_stop && q > 0 ? 1 : 0;
        }
        if (!noisy && stopped[static_cast<size_t>(owner)] != 0) continue;
        MoveSlot(slot, kept, cells, state, batch_, carry);
        owner_[static_cast<size_t>(kept++)] = owner;
      }
      if (noisy && std::all_of(stopped.begin(), stopped.end(), [](uint8_t s) { return s != 0; })) break;
      if (kept < batch_.slots) Shrink(kept, cells, state, batch_, carry);
    }
    return {};
  }

 private:
  void AddNoise(TrmCarry& carry, int64_t state, int64_t step) const {
    const std::vector<float> first(carry.z_l.begin(), carry.z_l.begin() + state);
    Trm::AddNoise(carry, options_.noise, options_.seed, static_cast<uint64_t>(step));
    std::copy(first.begin(), first.end(), carry.z_l.begin());
  }

  Trm& model_;
  const TrmSolveOptions& options_;
  TrmBatch batch_;
  std::vector<int64_t> owner_;  // slot -> the number it was added as
};

// The samples of one puzzle; the largest q wins, the first of equals.
Result<TrmSolution> SolveBySamples(Trm& model, const TrmBatch& puzzles, int64_t puzzle, const TrmSolveOptions& options,
                                   const TrmProgress& progress) {
  Group group(model, options);
  for (int64_t sample = 0; sample < options.samples; ++sample) group.Add(puzzles, puzzle);
  std::vector<TrmSolution> samples;
  PINTLE_RETURN_IF_ERROR(group.Run(true, samples, progress, puzzle));
  size_t best = 0;
  for (size_t i = 1; i < samples.size(); ++i) {
    if (samples[i].q > samples[best].q) best = i;
  }
  TrmSolution solution = std::move(samples[best]);
  solution.sample = static_cast<int64_t>(best);
  if (best != 0) solution.content_step = samples[0].content_step;
  return solution;
}

}  // namespace

Result<std::vector<TrmSolution>> SolveTrm(Trm& model, const TrmBatch& puzzles, const TrmSolveOptions& options,
                                          const TrmProgress& progress) {
  PINTLE_RETURN_IF_ERROR(CheckOptions(model, puzzles, options));
  std::vector<TrmSolution> solutions;
  solutions.reserve(static_cast<size_t>(puzzles.slots));
  if (options.samples > 1) {
    for (int64_t puzzle = 0; puzzle < puzzles.slots; ++puzzle) {
      PINTLE_ASSIGN(TrmSolution solution, SolveBySamples(model, puzzles, puzzle, options, progress));
      solutions.push_back(std::move(solution));
    }
    return solutions;
  }
  for (int64_t begin = 0; begin < puzzles.slots; begin += options.batch) {
    Group group(model, options);
    for (int64_t i = begin; i < std::min(puzzles.slots, begin + options.batch); ++i) group.Add(puzzles, i);
    std::vector<TrmSolution> some;
    PINTLE_RETURN_IF_ERROR(group.Run(false, some, progress, begin));
    std::move(some.begin(), some.end(), std::back_inserter(solutions));
  }
  return solutions;
}

void AppendPuzzle(TrmBatch& batch, std::span<const int32_t> inputs, std::span<const int32_t> labels, int32_t puzzle_id,
                  int32_t unscored) {
  batch.inputs.insert(batch.inputs.end(), inputs.begin(), inputs.end());
  for (const int32_t label : labels) batch.labels.push_back(label == unscored ? kTrmIgnored : label);
  batch.puzzle_ids.push_back(puzzle_id);
  ++batch.slots;
}

bool TrmScore::Add(std::span<const int32_t> answer, std::span<const int32_t> labels, int64_t vocab) {
  PINTLE_CHECK(answer.size() == labels.size(), "answers and labels of the same cells");
  bool all = true;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= vocab) continue;
    ++cells;
    if (answer[i] == labels[i]) {
      ++right;
    } else {
      all = false;
    }
  }
  ++puzzles;
  exact += all ? 1 : 0;
  return all;
}

}  // namespace pintle
