#include "nn/tape.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "base/time.h"
#include "nn/memory_plan.h"

namespace pintle {
namespace {

void Extend(PlannedBuffer& buffer, int64_t event) {
  if (buffer.last < buffer.first) buffer.first = event;
  buffer.last = event;
}

}  // namespace

Tape::Tape(const TapeOptions& options, ThreadPool& pool) : options_(options), pool_(&pool) {
  PINTLE_CHECK(options.batch > 0 && options.time > 0, "a tape has rows");
}

Tape::~Tape() = default;

Var Tape::Input() {
  inputs_.push_back(nullptr);
  return {static_cast<int32_t>(inputs_.size()) - 1};
}

Slot Tape::NewSlot(int64_t bytes) {
  slots_.push_back({bytes, {}});
  return static_cast<Slot>(slots_.size()) - 1;
}

Var Tape::NewValue(int64_t columns, bool from_linear) {
  const int64_t elements = max_rows() * columns;
  Value value;
  value.columns = columns;
  value.from_linear = from_linear;
  value.f32 = NewSlot(elements * 4);
  value.bf16 = NewSlot(elements * 2);
  value.gradient = NewSlot(elements * 4);
  value.gradient_bf16 = NewSlot(elements * 2);
  values_.push_back(value);
  return {static_cast<int32_t>(values_.size()) - 1};
}

void Tape::Record(std::unique_ptr<Op> op) {
  PINTLE_CHECK(!planned_, "nothing is recorded after the plan");
  op->block = block_;
  ops_.push_back(std::move(op));
}

void Tape::BeginBlock() {
  PINTLE_CHECK(block_ < 0, "blocks do not nest");
  block_ = blocks_++;
}

void Tape::EndBlock() { block_ = -1; }

Status Tape::Plan(Var kept) {
  PINTLE_CHECK(!planned_, "a tape is planned once");
  const size_t count = slots_.size();

  // A slot that only ops of one block touch is internal: with recomputation it lives twice.
  constexpr int kUntouched = -2, kShared = -1;
  std::vector<int> owner(count, kUntouched);
  const auto touch = [&](const Op& op, const std::vector<Slot>& touched) {
    for (const Slot slot : touched) {
      int& o = owner[static_cast<size_t>(slot)];
      o = o == kUntouched || o == op.block ? op.block : kShared;
    }
  };
  for (const auto& op : ops_) {
    touch(*op, op->forward_slots);
    if (options_.training) touch(*op, op->backward_slots);
  }
  const bool recompute = options_.training && options_.recompute;
  const auto internal = [&](Slot slot) { return recompute && owner[static_cast<size_t>(slot)] >= 0; };
  for (const auto& op : ops_) op->again = std::any_of(op->outputs.begin(), op->outputs.end(), internal);

  if (options_.training) {
    for (size_t end = ops_.size(); end > 0;) {
      size_t begin = end - 1;
      while (begin > 0 && ops_[begin]->block >= 0 && ops_[begin - 1]->block == ops_[begin]->block) --begin;
      for (size_t i = begin; i < end; ++i) {
        if (ops_[i]->again) backward_.push_back({ops_[i].get(), true});
      }
      for (size_t i = end; i > begin; --i) backward_.push_back({ops_[i - 1].get(), false});
      end = begin;
    }
  }

  // Buffers 0 .. count-1 are the forward pass's (and a shared slot's only one), the rest the second lives of internal
  // slots.
  std::vector<PlannedBuffer> buffers(2 * count);
  for (size_t i = 0; i < count; ++i) buffers[i].bytes = buffers[count + i].bytes = static_cast<size_t>(slots_[i].bytes);
  int64_t event = 0;
  for (const auto& op : ops_) {
    for (const Slot slot : op->forward_slots) Extend(buffers[static_cast<size_t>(slot)], event);
    ++event;
  }
  for (const Step& step : backward_) {
    for (const Slot slot : step.forward ? step.op->forward_slots : step.op->backward_slots) {
      Extend(buffers[(internal(slot) ? count : 0) + static_cast<size_t>(slot)], event);
    }
    ++event;
  }
  if (kept.valid()) {
    for (const Slot slot : {value(kept).f32, value(kept).bf16}) {
      if (owner[static_cast<size_t>(slot)] != kUntouched) Extend(buffers[static_cast<size_t>(slot)], event);
    }
  }
  const size_t bytes = PlanMemory(buffers);
  for (size_t i = 0; i < count; ++i) {
    slots_[i].offset = {buffers[i].offset, buffers[(internal(static_cast<Slot>(i)) ? count : 0) + i].offset};
  }
  PINTLE_ASSIGN(arena_, Arena::Create(bytes));
  planned_ = true;
  return {};
}

void Tape::Bind(Var input, const int32_t* data) { inputs_[static_cast<size_t>(input.id)] = data; }

void* Tape::Data(Slot slot) const {
  return arena_.base() + slots_[static_cast<size_t>(slot)].offset[static_cast<size_t>(pass_)];
}

void Tape::Run(const Step& step) {
  const double start = MonotonicSeconds();
  if (step.forward) {
    step.op->Forward(*this);
  } else {
    step.op->Backward(*this);
  }
  seconds_[static_cast<size_t>(step.op->kind)] += MonotonicSeconds() - start;
}

void Tape::Forward(int64_t rows) {
  PINTLE_CHECK(planned_ && rows > 0 && (rows == max_rows() || (rows < max_rows() && !options_.training)),
               "the tape was planned for " + std::to_string(max_rows()) + " rows, not " + std::to_string(rows));
  rows_ = rows;
  pass_ = 0;
  for (const auto& op : ops_) Run({op.get(), true});
}

void Tape::Backward() {
  PINTLE_CHECK(planned_ && options_.training && rows_ > 0, "Backward follows Forward on a training tape");
  pass_ = 1;
  for (const Step& step : backward_) Run(step);
}

}  // namespace pintle
