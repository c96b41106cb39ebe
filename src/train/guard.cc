#include "train/guard.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>
#include <cstring>

#include "base/json.h"

namespace pintle {
namespace {

constexpr double kMomentum = 0.95;

}  // namespace

Status TrainingGuard::Check(int64_t step, double loss, double gradient_norm) {
  if (!std::isfinite(loss) || !std::isfinite(gradient_norm)) {
    return RuntimeError(
        fmt::format("training diverged at step {}: loss {}, gradient norm {}", step, loss, gradient_norm), "",
        "lower train.lr and train.muon_lr, or train.clip, and start again");
  }
  if (seen_ > 0 && loss > mean_ + limit_) {
    if (++spikes_ < patience_) return {};
    return RuntimeError(fmt::format("the loss stayed above {:.3f} + {} for {} steps (step {}: {:.3f})", mean_, limit_,
                                    spikes_, step, loss),
                        "", "lower train.lr and train.muon_lr, or raise train.spike_limit if this was expected");
  }
  spikes_ = 0;
  mean_ = seen_ == 0 ? loss : kMomentum * mean_ + (1 - kMomentum) * loss;
  ++seen_;
  return {};
}

// The mean as its bits: exact whatever reads the number.
boost::json::object TrainingGuard::State() const {
  int64_t bits = 0;
  std::memcpy(&bits, &mean_, sizeof bits);
  return {{"mean_bits", bits}, {"seen", seen_}, {"spikes", spikes_}};
}

Status TrainingGuard::Restore(const boost::json::object& state, const std::string& where) {
  const boost::json::value value(state);
  PINTLE_ASSIGN(const int64_t bits, JsonInt(value, "mean_bits", where));
  std::memcpy(&mean_, &bits, sizeof bits);
  PINTLE_ASSIGN(seen_, JsonInt(value, "seen", where));
  PINTLE_ASSIGN(spikes_, JsonInt(value, "spikes", where));
  return {};
}

}  // namespace pintle
