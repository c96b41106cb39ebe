#include "train/trm_config.h"

#include <doctest/doctest.h>

#include <filesystem>

namespace pintle {
namespace {

TEST_CASE("trm config: every shipped preset loads and describes a network for its task") {
  const std::filesystem::path folder = std::filesystem::path(PINTLE_SOURCE_DIR) / "configs/trm/presets";
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    TrmRunConfig config;
    const Status status = LoadConfigFile(entry.path(), [&](ConfigVisitor& v) { config.Visit(v); });
    if (!status.ok()) MESSAGE(status.error().Message());
    REQUIRE(status.ok());
    if (config.task == "arc") config.options.data = std::string(PINTLE_SOURCE_DIR) + "/src/puzzles/testdata/arc";
    const auto task = MakeTask(config.task, config.options);
    REQUIRE(task.ok());
    const auto network = NetworkOf(config, **task);
    if (!network.ok()) MESSAGE(network.error().Message());
    REQUIRE(network.ok());
    CHECK(network->cells == (*task)->cells());
    CHECK(config.cooldown_steps < config.steps);
    CHECK(TrmParameterCount(*network) < 3'000'000);
    ++files;
  }
  CHECK(files == 6);
}

TEST_CASE("trm config: what happens at a step does not depend on the length of the run, but for the cool-down") {
  TrmRunConfig config;
  config.lr = 0.01;
  config.constant_steps = 100;
  config.cooldown_steps = 9;
  config.shallow_steps = 50;
  config.shallow_h_cycles = 1;
  config.h_cycles = 3;
  for (const int64_t step : {0, 49, 50, 99, 150, 399}) {
    CHECK(PhaseAt(config, step, 1000).learning_rate == PhaseAt(config, step, 0).learning_rate);
    CHECK(PhaseAt(config, step, 1000).h_cycles == (step < 50 ? 1 : 3));
  }
  CHECK(PhaseAt(config, 99, 0).learning_rate == 0.01);
  CHECK(PhaseAt(config, 399, 0).learning_rate == doctest::Approx(0.005));
  const double flat = PhaseAt(config, 199, 0).learning_rate;
  CHECK(PhaseAt(config, 199, 200).learning_rate == doctest::Approx(flat / 10));
  CHECK(PhaseAt(config, 190, 200).learning_rate == PhaseAt(config, 190, 0).learning_rate);
}

TEST_CASE("trm config: givens go from easy to the task's own") {
  TrmRunConfig config;
  config.options.givens_low = 30;
  config.options.givens_high = 36;
  config.easy_steps = 10;
  config.easy_givens_low = 50;
  config.easy_givens_high = 56;
  CHECK(PhaseAt(config, 0, 0).givens_low == 50);
  CHECK(PhaseAt(config, 0, 0).givens_high == 56);
  CHECK(PhaseAt(config, 5, 0).givens_low == 40);
  CHECK(PhaseAt(config, 10, 0).givens_low == 30);
  CHECK(PhaseAt(config, 1000, 0).givens_high == 36);
}

TEST_CASE("trm config: intervals and length do not change a run's identity, rates do; misfits are config errors") {
  const TrmRunConfig plain;
  TrmRunConfig other = plain;
  other.eval_interval = 7;
  other.steps = 9;
  other.recompute = true;
  CHECK(TrmRunHash(other) == TrmRunHash(plain));
  other.lr *= 2;
  CHECK(TrmRunHash(other) != TrmRunHash(plain));

  TrmRunConfig odd = plain;
  odd.width = 100;
  const auto task = MakeTask("copy");
  REQUIRE(task.ok());
  const auto network = NetworkOf(odd, **task);
  REQUIRE(!network.ok());
  CHECK(network.error().code == Code::kConfig);
  const Status wrong = LoadConfig("[trm.train]\nstep = 3\n", "test", [&](ConfigVisitor& v) { odd.Visit(v); });
  REQUIRE(!wrong.ok());
  CHECK(wrong.error().hint.find("trm.train.steps") != std::string::npos);
}

}  // namespace
}  // namespace pintle
