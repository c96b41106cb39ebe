// The op table in its modes: every instruction set against the plain definition, gradients by finite differences, and
// one sample of the speed mode (that it runs; figures belong to the benchmark).
#include "tensor/op_table.h"

#include <doctest/doctest.h>

#include "kernels/test_support.h"

namespace pintle {

TEST_CASE("every op equals its definition on every instruction set and any number of threads") {
  kernels::ForEachTarget([](kernels::Target target) {
    for (const int threads : {1, 3}) {
      ThreadPool pool(threads);
      for (const OpRow& row : OpTable()) {
        CAPTURE(std::string(kernels::TargetName(target)));
        CAPTURE(row.name);
        CHECK(CompareBackends(row, pool) == "");
      }
    }
  });
}

TEST_CASE("every gradient agrees with finite differences") {
  int with_gradient = 0;
  for (const OpRow& row : OpTable()) {
    CAPTURE(row.name);
    CHECK(GradientError(row) <= row.gradient_tolerance);
    with_gradient += row.small.forward ? 1 : 0;
  }
  CHECK(with_gradient >= 16);
}

TEST_CASE("the speed mode measures every op") {
  ThreadPool pool(1);
  const std::vector<OpSpeed> speeds = RunOpSpeed(pool, 1);
  CHECK(speeds.size() == OpTable().size());
  for (const OpSpeed& speed : speeds) CHECK(speed.ns > 0);
}

}  // namespace pintle
