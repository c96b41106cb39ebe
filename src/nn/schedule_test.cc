#include "nn/schedule.h"

#include <doctest/doctest.h>

#include <cmath>

namespace pintle {

TEST_CASE("warm-up and cosine") {
  const Schedule s = {ScheduleKind::kCosine, 10, 110, 0.1, 0};
  CHECK(ScheduleFactor(s, 0) == doctest::Approx(0.1));
  CHECK(ScheduleFactor(s, 9) == 1.0);
  CHECK(ScheduleFactor(s, 10) == 1.0);
  CHECK(ScheduleFactor(s, 60) == doctest::Approx(0.55));
  CHECK(ScheduleFactor(s, 35) == doctest::Approx(0.1 + 0.45 * (1 + std::cos(M_PI / 4))));
  CHECK(ScheduleFactor(s, 110) == 0.1);
  CHECK(ScheduleFactor(s, 5000) == 0.1);
  for (int64_t step = 10; step < 110; ++step) CHECK(ScheduleFactor(s, step) > ScheduleFactor(s, step + 1));
}

TEST_CASE("warm-up, stable, decay") {
  const Schedule s = {ScheduleKind::kWsd, 4, 100, 0.0, 0.4};
  CHECK(ScheduleFactor(s, 1) == 0.5);
  CHECK(ScheduleFactor(s, 4) == 1.0);
  CHECK(ScheduleFactor(s, 60) == 1.0);
  CHECK(ScheduleFactor(s, 80) == doctest::Approx(0.5));
  CHECK(ScheduleFactor(s, 100) == 0.0);
  CHECK(ScheduleFactor(s, 200) == 0.0);
}

TEST_CASE("constant, no warm-up, and names") {
  const Schedule s = {ScheduleKind::kConstant, 0, 5, 0.1, 0.4};
  CHECK(ScheduleFactor(s, 0) == 1.0);
  CHECK(ScheduleFactor(s, 99) == 1.0);
  CHECK(*ParseScheduleKind("wsd") == ScheduleKind::kWsd);
  CHECK(*ParseScheduleKind("cosine") == ScheduleKind::kCosine);
  CHECK(ParseScheduleKind("linear").error().code == Code::kConfig);
}

}  // namespace pintle
