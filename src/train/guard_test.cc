#include "train/guard.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <cmath>

namespace pintle {
namespace {

TEST_CASE("guard: what is not finite stops at once") {
  CHECK(!TrainingGuard(2, 3).Check(1, NAN, 1).ok());
  CHECK(!TrainingGuard(2, 3).Check(1, 1, NAN).ok());
  CHECK(!TrainingGuard(2, 3).Check(1, INFINITY, 1).ok());
  CHECK(TrainingGuard(2, 3).Check(1, 900, 1e30).ok());
}

TEST_CASE("guard: spikes are forgiven until there are too many in a row") {
  TrainingGuard guard(2, 3);
  for (int i = 0; i < 50; ++i) REQUIRE(guard.Check(i, 4, 1).ok());
  CHECK(guard.Check(50, 6.5, 1).ok());
  CHECK(!guard.calm());
  CHECK(guard.Check(51, 5.5, 1).ok());
  CHECK(guard.calm());
  CHECK(guard.Check(52, 7, 1).ok());
  CHECK(guard.Check(53, 7, 1).ok());
  // The state travels: a restored guard stops at the same step.
  TrainingGuard restored(2, 3);
  REQUIRE(restored.Restore(guard.State(), "test").ok());
  CHECK(!guard.Check(54, 7, 1).ok());
  const Status status = restored.Check(54, 7, 1);
  REQUIRE(!status.ok());
  CHECK(status.error().code == Code::kRuntime);
  CHECK(status.error().what.find("3 steps") != std::string::npos);
}

TEST_CASE("guard: the mean is restored exactly") {
  TrainingGuard guard(2, 3);
  for (int i = 0; i < 7; ++i) REQUIRE(guard.Check(i, 1.0 / (i + 3), 1).ok());
  TrainingGuard restored(2, 3);
  REQUIRE(restored.Restore(guard.State(), "test").ok());
  CHECK(boost::json::value(restored.State()) == boost::json::value(guard.State()));
  CHECK(!restored.Restore({}, "test").ok());
}

}  // namespace
}  // namespace pintle
