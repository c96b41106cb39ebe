#include "evaluate/trm_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/json.h"
#include "kernels/math.h"

namespace pintle {
namespace {

// What the observer copies out of a step; decoded afterwards.
struct Raw {
  int64_t cycle, evaluation;
  bool is_h;
  std::vector<float> z;
};

// Symbol, probability and entropy of each cell: p = s / sum s, s(x) = x + 1 or 1 / (1 - x) below 0.
void Read(std::span<const float> logits, int64_t vocab, TrmTraceState& state) {
  state.answer = TrmArgmax(logits, vocab);
  std::vector<double> s(static_cast<size_t>(vocab));
  for (size_t cell = 0; cell < state.answer.size(); ++cell) {
    double sum = 0;
    for (size_t v = 0; v < s.size(); ++v) {
      const double x = logits[cell * s.size() + v];
      s[v] = x >= 0 ? x + 1 : 1 / (1 - x);
      sum += s[v];
    }
    double entropy = 0;
    for (const double one : s) {
      const double p = one / sum;
      if (p > 0) entropy -= p * kernels::Log(p);
    }
    state.probability.push_back(static_cast<float>(s[static_cast<size_t>(state.answer[cell])] / sum));
    state.entropy.push_back(static_cast<float>(entropy / kernels::Log(2.0)));
  }
}

void Compare(const Tokens& before, TrmTraceState& state) {
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i] != state.answer[i]) state.changed.push_back(static_cast<int32_t>(i));
  }
}

// Four digits are enough to look at, and keep the file small.
double Rounded(float value) {
  return static_cast<double>(int64_t(static_cast<double>(value) * 10000 + (value < 0 ? -0.5 : 0.5))) / 10000;
}

boost::json::array Numbers(const std::vector<float>& values) {
  boost::json::array list;
  for (const float value : values) list.push_back(Rounded(value));
  return list;
}

}  // namespace

Result<TrmTrace> TraceTrm(PuzzleModel& puzzle, const Tokens& inputs, int32_t puzzle_id, int64_t depth,
                          bool early_stop) {
  Trm& model = *puzzle.model;
  TrmTrace trace;
  trace.inputs = inputs;
  TrmBatch batch;
  batch.slots = 1;
  batch.inputs = inputs;
  batch.puzzle_ids = {puzzle_id};
  TrmCarry carry = model.NewCarry(1);
  TrmAnswer answer;
  Tokens before_h, before_l;
  for (int64_t step = 1; step <= depth; ++step) {
    std::vector<Raw> seen;
    const size_t size = carry.z_h.size();
    PINTLE_RETURN_IF_ERROR(model.Step(batch, carry, answer, [&](const TrmStateView& view) {
      seen.push_back({view.cycle, view.evaluation, view.is_h, std::vector<float>(view.z, view.z + size)});
    }));
    std::vector<float> logits;
    for (const Raw& raw : seen) {
      model.Decode(raw.z, 1, logits);
      TrmTraceState state;
      state.step = step;
      state.cycle = raw.cycle + 1;
      state.evaluation = raw.evaluation + 1;
      state.is_h = raw.is_h;
      Read(logits, model.config().vocab, state);
      Tokens& before = raw.is_h ? before_h : before_l;
      Compare(before, state);
      before = state.answer;
      trace.states.push_back(std::move(state));
    }
    trace.states.back().last = true;
    trace.states.back().q = answer.q[0];
    if (early_stop && answer.q[0] > 0) break;
  }
  return trace;
}

std::string TrmTraceNdjson(const Task& task, const TrmTrace& trace) {
  std::string lines = DumpJson(boost::json::object{{"type", "puzzle"},
                                                   {"task", task.info().name},
                                                   {"rows", task.info().rows},
                                                   {"cols", task.info().cols},
                                                   {"symbols", task.info().symbols},
                                                   {"inputs", task.Line(trace.inputs)}}) +
                      "\n";
  for (const TrmTraceState& state : trace.states) {
    boost::json::object line{{"type", "state"},
                             {"step", state.step},
                             {"cycle", state.cycle},
                             {"evaluation", state.evaluation},
                             {"state", state.is_h ? "z_H" : "z_L"},
                             {"answer", task.Line(state.answer)},
                             {"probability", Numbers(state.probability)},
                             {"entropy", Numbers(state.entropy)},
                             {"changed", boost::json::array(state.changed.begin(), state.changed.end())}};
    if (state.last) {
      line["q"] = state.q;
      line["content"] = state.q > 0;
    }
    lines += DumpJson(line) + "\n";
  }
  return lines;
}

std::vector<PictureFrame> TrmTraceFrames(const TrmTrace& trace, int64_t limit) {
  std::vector<PictureFrame> frames;
  for (const TrmTraceState& state : trace.states) {
    if (!state.last) continue;
    frames.push_back({state.answer, state.probability, fmt::format("step {}, q {:+.1f}", state.step, state.q)});
  }
  if (static_cast<int64_t>(frames.size()) > limit) frames.erase(frames.begin() + (limit - 1), frames.end() - 1);
  frames.insert(frames.begin(), {trace.inputs, {}, "the puzzle"});
  return frames;
}

namespace {

// One cell in colour: given bold, changed inverse; green, yellow or red by how sure it is.
std::string Cell(const Task& task, const TrmTrace& trace, const TrmTraceState& state, size_t cell) {
  const Token given = trace.inputs[cell];
  const bool changed =
      std::find(state.changed.begin(), state.changed.end(), static_cast<int32_t>(cell)) != state.changed.end();
  const float p = state.probability[cell];
  std::string codes = given != kPad && given != kBlank && given == state.answer[cell] ? "1"
                      : p > 0.9F                                                      ? "32"
                      : p > 0.5F                                                      ? "33"
                                                                                      : "31";
  if (changed) codes += ";7";
  return fmt::format("\x1b[{}m{}\x1b[0m", codes, task.info().symbols[static_cast<size_t>(state.answer[cell])]);
}

}  // namespace

std::string TrmTraceScreen(const Task& task, const TrmTrace& trace, size_t state) {
  const TrmTraceState& h = trace.states[state];
  const TrmTraceState& l = trace.states[state > 0 ? state - 1 : 0];
  const auto rows = static_cast<size_t>(task.info().rows), cols = static_cast<size_t>(task.info().cols);
  std::string screen =
      fmt::format("step {:>3}, cycle {}\x1b[K\n{:<{}}   {}\x1b[K\n", h.step, h.cycle, "z_H", 2 * cols - 1, "z_L");
  for (size_t row = 0; row < rows; ++row) {
    for (const TrmTraceState* side : {&h, &l}) {
      for (size_t col = 0; col < cols; ++col) {
        if (col > 0) screen += ' ';
        screen += Cell(task, trace, *side, row * cols + col);
      }
      if (side == &h) screen += "   ";
    }
    screen += "\x1b[K\n";
  }
  screen += h.last ? fmt::format("halting logit {:+.2f}{}\x1b[K\n", h.q, h.q > 0 ? ": content" : "") : "\x1b[K\n";
  return screen;
}

}  // namespace pintle
