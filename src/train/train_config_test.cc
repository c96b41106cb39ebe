#include "train/train_config.h"

#include <doctest/doctest.h>

#include "base/file.h"

namespace pintle {
namespace {

TEST_CASE("train config: every shipped file loads and describes a model") {
  const std::filesystem::path folder = std::filesystem::path(PINTLE_SOURCE_DIR) / "configs/m31r/presets";
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    TrainConfig config;
    int64_t vocab = 0;
    const Status status = LoadConfigFile(entry.path(), [&](ConfigVisitor& v) {
      config.Visit(v);
      v.Section("tokenizer");
      v.Int("vocab_size", vocab, 288, 65536, "ids in all");
    });
    if (!status.ok()) MESSAGE(status.error().Message());
    REQUIRE(status.ok());
    const auto preset = DecoderPreset(config.preset);
    REQUIRE(preset.ok());
    CHECK(vocab == preset->vocab);
    const auto decoder = DecoderConfigOf(config, preset->vocab);
    REQUIRE(decoder.ok());
    CHECK(ParameterCount(*decoder) == ParameterCount(*preset));
    ++files;
  }
  CHECK(files == 6);
}

TEST_CASE("train config: the printed settings load back, and a misspelt key is named") {
  TrainConfig config;
  config.lr = 0.123;
  config.steps = 77;
  const std::string text = DumpConfig([&](ConfigVisitor& v) { config.Visit(v); });
  TrainConfig again;
  REQUIRE(LoadConfig(text, "test", [&](ConfigVisitor& v) { again.Visit(v); }).ok());
  CHECK(again.lr == 0.123);
  CHECK(TrainConfigHash(again) == TrainConfigHash(config));
  const Status wrong = LoadConfig("[train]\nbatsh = 3\n", "test", [&](ConfigVisitor& v) { again.Visit(v); });
  REQUIRE(!wrong.ok());
  CHECK(wrong.error().hint.find("train.batch") != std::string::npos);
}

TEST_CASE("train config: intervals do not change a run's identity, rates do") {
  const TrainConfig plain;
  TrainConfig other = plain;
  other.checkpoint_interval = 7;
  other.eval_interval = 9;
  other.recompute = true;
  CHECK(TrainConfigHash(other) == TrainConfigHash(plain));
  other.lr *= 2;
  CHECK(TrainConfigHash(other) != TrainConfigHash(plain));
}

TEST_CASE("train config: steps follow from steps, tokens or epochs, in this order") {
  TrainConfig config;
  config.batch = 4;
  config.accum = 2;
  config.time = 128;  // 1024 tokens a step
  CHECK(StepsOf(config, 10 * 1024) == 10);
  CHECK(StepsOf(config, 10 * 1024 + 1) == 11);
  CHECK(StepsOf(config, 3) == 1);
  config.epochs = 2.5;
  CHECK(StepsOf(config, 10 * 1024) == 25);
  config.tokens = 5000;
  CHECK(StepsOf(config, 10 * 1024) == 5);
  config.steps = 3;
  CHECK(StepsOf(config, 10 * 1024) == 3);
  config.warmup = 0.02;
  CHECK(ScheduleOf(config, 100)->warmup_steps == 2);
  CHECK(ScheduleOf(config, 10)->warmup_steps == 1);
  config.warmup = 0;
  CHECK(ScheduleOf(config, 10)->warmup_steps == 0);
}

}  // namespace
}  // namespace pintle
