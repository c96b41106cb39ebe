// Watches loss and gradient norm: stops a run at the first number that is not finite and when the loss stays far above
// where it was, so that nobody trains NaN for hours. Its state is part of checkpoints, so a resumed run stops where an
// uninterrupted one would.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace pintle {

/// Watches the loss and says when to stop.
class TrainingGuard {
 public:
  /// A step is a spike if its loss is more than `limit` nats above the running mean of the steps that were none;
  /// `patience` spikes in a row stop the run.
  TrainingGuard(double limit, int64_t patience) : limit_(limit), patience_(patience) {}

  /// Looks at a step before its update. A runtime error says what is wrong.
  Status Check(int64_t step, double loss, double gradient_norm);
  /// The last step was no spike: its state is worth keeping.
  [[nodiscard]] bool calm() const { return spikes_ == 0; }

  [[nodiscard]] boost::json::object State() const;
  Status Restore(const boost::json::object& state, const std::string& where);

 private:
  double limit_;
  int64_t patience_;
  double mean_ = 0;
  int64_t seen_ = 0, spikes_ = 0;
};

}  // namespace pintle
