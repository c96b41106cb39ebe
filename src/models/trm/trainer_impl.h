// What a TrmTrainer consists of; for trainer.cc and checkpoint.cc alone.
#pragma once

#include <memory>
#include <vector>

#include "models/trm/slots.h"
#include "models/trm/trainer.h"
#include "models/trm/trm_impl.h"
#include "nn/optimizer.h"

namespace pintle {

/// The state of a training: slots, optimizer, average.
struct TrmTrainer::Impl {
  Impl(Trm::Impl& parts, Trm& whole, const TrmTrainOptions& train_options, ThreadPool& threads)
      : model(parts), owner(whole), options(train_options), pool(&threads), slots(parts.config, train_options.slots) {}

  void UpdatePuzzles(double warmup);
  // The recursion for what the model is now.
  Status Plan();

  Trm::Impl& model;
  Trm& owner;
  TrmTrainOptions options;
  ThreadPool* pool;
  TrmSlots slots;
  TrmCarry carry;
  TrmAnswer answer;
  std::vector<TrmSlotScore> scores;
  std::vector<float> puzzle_gradient;
  std::unique_ptr<TrmRecursion> recursion;
  std::unique_ptr<Optimizer> optimizer;
};

}  // namespace pintle
