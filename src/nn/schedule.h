// Learning-rate schedules: a factor for each step, by our own double arithmetic (same bits everywhere).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace pintle {

enum class ScheduleKind : uint8_t {
  kConstant,  ///< 1 after the warm-up
  kCosine,    ///< half a cosine from 1 to final_factor
  kWsd,       ///< 1, then linear to final_factor over the last decay_fraction of all steps (warm-up, stable, decay)
};

/// A schedule's shape, in steps counted from 0.
struct Schedule {
  ScheduleKind kind = ScheduleKind::kCosine;
  int64_t warmup_steps = 0;  ///< step s < warmup gives (s + 1) / warmup
  int64_t total_steps = 1;   ///< steps at or beyond the end give final_factor (kConstant: 1)
  double final_factor = 0.1;
  double decay_fraction = 0.4;
};

/// The factor of step `step`, counted from 0.
double ScheduleFactor(const Schedule& schedule, int64_t step);

/// "constant", "cosine", "wsd"; anything else is a config error.
Result<ScheduleKind> ParseScheduleKind(std::string_view name);

}  // namespace pintle
