#include "nn/schedule.h"

#include <algorithm>
#include <string>

#include "kernels/math.h"

namespace pintle {

double ScheduleFactor(const Schedule& schedule, int64_t step) {
  constexpr double kPi = 3.14159265358979323846;
  if (step < schedule.warmup_steps) return static_cast<double>(step + 1) / static_cast<double>(schedule.warmup_steps);
  const double total = static_cast<double>(schedule.total_steps);
  const double now = static_cast<double>(step);
  const double span = 1 - schedule.final_factor;
  switch (schedule.kind) {
    case ScheduleKind::kConstant:
      return 1;
    case ScheduleKind::kCosine: {
      if (step >= schedule.total_steps) return schedule.final_factor;
      const double warmup = static_cast<double>(schedule.warmup_steps);
      const double done = (now - warmup) / std::max(1.0, total - warmup);
      return schedule.final_factor + span * (0.5 * (1 + kernels::Cos(kPi * done)));
    }
    case ScheduleKind::kWsd: {
      const double decay = std::max(1.0, total * schedule.decay_fraction);
      return 1 - span * std::clamp((now - (total - decay)) / decay, 0.0, 1.0);
    }
  }
  return 1;
}

Result<ScheduleKind> ParseScheduleKind(std::string_view name) {
  if (name == "constant") return ScheduleKind::kConstant;
  if (name == "cosine") return ScheduleKind::kCosine;
  if (name == "wsd") return ScheduleKind::kWsd;
  return ConfigError("there is no schedule '" + std::string(name) + "'", "", "schedules: constant, cosine, wsd");
}

}  // namespace pintle
