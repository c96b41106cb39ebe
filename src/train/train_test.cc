#include "train/train.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <boost/json.hpp>
#include <csignal>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "formats/manifest.h"
#include "generate/generate.h"
#include "train/checkpoint.h"
#include "train/test_work.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

// A work folder of its own for each test; narration off.
struct Work {
  Work() {
    SetLogLevel(LogLevel::kError);
    WriteTestWork(folder.path());
    options.work = folder.path();
    options.config = TestTrainConfig();
    options.threads = 1;
  }
  TrainSummary Run() {
    const auto summary = Train(options);
    if (!summary.ok()) MESSAGE(summary.error().Message());
    REQUIRE(summary.ok());
    return *summary;
  }
  [[nodiscard]] fs::path run() const { return folder.path() / "run"; }
  [[nodiscard]] std::vector<boost::json::value> Lines(const std::string& type) const {
    std::vector<boost::json::value> lines;
    const std::string text = ReadFile(run() / "run.jsonl").value();
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = text.find('\n', begin);
      auto value = ParseJson(text.substr(begin, end - begin), "run.jsonl");
      REQUIRE(value.ok());
      if (JsonString(*value, "type", "").value() == type) lines.push_back(*value);
      begin = end + 1;
    }
    return lines;
  }
  [[nodiscard]] std::vector<int64_t> StepsOf(const std::string& type) const {
    std::vector<int64_t> steps;
    for (const auto& line : Lines(type)) steps.push_back(JsonInt(line, "step", "").value());
    return steps;
  }
  TemporaryFolder folder;
  TrainOptions options;
};

TEST_CASE("train: a small model learns a small text by heart, and the model folder completes it") {
  Work work;
  work.options.config.steps = 60;
  work.options.config.fim_rate = 0;
  work.options.judge = [](const std::vector<std::string>& programs) -> Result<std::optional<int64_t>> {
    return std::optional<int64_t>(100 + static_cast<int64_t>(programs.size()));
  };
  const TrainSummary summary = work.Run();
  CHECK(summary.finished);
  CHECK(summary.step == 60);
  CHECK(summary.loss < 0.5);
  CHECK(summary.bits_per_byte > 0);
  CHECK(summary.bits_per_byte < 1.0);
  CHECK(summary.weights_sha256.size() == 64);
  const auto steps = work.Lines("step");
  REQUIRE(steps.size() == 60);
  CHECK(JsonDouble(steps.front(), "loss", "").value() > 4);
  CHECK(JsonInt(steps.back(), "step", "").value() == 60);
  CHECK(work.StepsOf("validation") == std::vector<int64_t>{0, 10, 20, 30, 40, 50, 60});
  CHECK(work.StepsOf("sample") == std::vector<int64_t>{0, 10, 20, 30, 40, 50, 60});
  const auto samples = work.Lines("sample");
  CHECK(JsonInt(samples.front(), "functions", "").value() == 8);
  const int64_t parsed = JsonInt(samples.back(), "parsed", "").value();
  CHECK(parsed <= 8);
  CHECK(JsonInt(samples.back(), "compiled", "").value() == 100 + parsed);
  CHECK(work.Lines("start").size() == 1);
  CHECK(ListCheckpoints(work.run()).size() == 2);
  CHECK(VerifyFolder(work.run() / "model").ok());
  const auto model = TextModel::Load((work.run() / "model").string(), 1);
  REQUIRE(model.ok());
  SampleOptions options;
  options.max_tokens = 24;
  const auto completion = (*model)->Complete("fn f1() {\n", options);
  REQUIRE(completion.ok());
  CHECK(completion->text.starts_with("    let x = 0;\n}\n"));
  CHECK((*model)->Info().origin == "internal");
}

TEST_CASE("train: a second run of the same is up to date; other settings are refused unless told") {
  Work work;
  work.options.config.steps = 6;
  const TrainSummary first = work.Run();
  const TrainSummary second = work.Run();
  CHECK(second.up_to_date);
  CHECK(second.weights_sha256 == first.weights_sha256);
  work.options.config.lr = 0.02;
  const auto other = Train(work.options);
  REQUIRE(!other.ok());
  CHECK(other.error().code == Code::kValidation);
  CHECK(other.error().hint.find("--fresh") != std::string::npos);
  REQUIRE(RemoveAll(work.run() / "checkpoints").ok());
  const auto without = Train(work.options);  // the model alone is worth keeping
  REQUIRE(!without.ok());
  CHECK(without.error().hint.find("--fresh") != std::string::npos);
  CHECK(fs::exists(work.run() / "model"));
  work.options.mode = TrainMode::kReplace;
  const TrainSummary replaced = work.Run();
  CHECK(replaced.finished);
  CHECK(replaced.weights_sha256 != first.weights_sha256);
  CHECK(work.Lines("start").size() == 1);
}

TEST_CASE("train: 20 steps are 10, a stop, and 10 resumed, bit for bit, for any number of threads") {
  for (const char* dtype : {"fp32", "bf16"}) {
    for (const char* optimizer : {"muon", "adamw"}) {
      Work whole;
      whole.options.config.dtype = dtype;
      whole.options.config.optimizer = optimizer;
      whole.options.config.ema = std::string(dtype) == "fp32" ? 0.9 : 0;
      const TrainSummary expected = whole.Run();
      Work cut;
      cut.options.config = whole.options.config;
      cut.options.config.recompute = true;  // less memory, the same bits
      cut.options.until_step = 10;
      cut.options.threads = 3;
      const TrainSummary stopped = cut.Run();
      CHECK(!stopped.finished);
      CHECK(stopped.stop_reason == "limit");
      CHECK(stopped.step == 10);
      cut.options.until_step = 0;
      cut.options.mode = TrainMode::kResume;
      cut.options.config = TrainConfig();  // the settings come from the run
      cut.options.threads = 2;
      const TrainSummary resumed = cut.Run();
      CHECK(resumed.finished);
      CHECK(resumed.weights_sha256 == expected.weights_sha256);
      CHECK(resumed.bits_per_byte == expected.bits_per_byte);
      CHECK(ReadFile(cut.run() / "checkpoints/step-00000020/optimizer.safetensors").value() ==
            ReadFile(whole.run() / "checkpoints/step-00000020/optimizer.safetensors").value());
      CHECK(cut.Lines("step").size() == 20);
      CHECK(cut.StepsOf("validation") == whole.StepsOf("validation"));
      CHECK(cut.StepsOf("sample") == whole.StepsOf("sample"));
    }
  }
}

TEST_CASE("train: Ctrl-C saves and says so; what a kill left behind is cleaned away") {
  Work work;
  const TrainSummary whole = Work().Run();
  work.options.until_step = 7;
  work.Run();
  SetInterrupted(true);
  work.options.until_step = 0;
  const TrainSummary interrupted = work.Run();
  SetInterrupted(false);
  CHECK(interrupted.stop_reason == "interrupted");
  CHECK(interrupted.step == 7);
  // As if killed while writing the next checkpoint, with the log two steps ahead.
  const fs::path partial = work.run() / "checkpoints/step-00000010.partial";
  REQUIRE(MakeFolder(partial).ok());
  REQUIRE(WriteFileAtomic(partial / "weights.safetensors", "half a file").ok());
  auto log = File::OpenAppend(work.run() / "run.jsonl");
  REQUIRE(log->Write("{\"type\":\"step\",\"step\":8}\n{\"type\":\"step\",\"st").ok());
  const TrainSummary finished = work.Run();
  CHECK(finished.weights_sha256 == whole.weights_sha256);
  CHECK(work.Lines("step").size() == 20);
  CHECK(!fs::exists(partial));
}

TEST_CASE("train: a damaged checkpoint is named, not loaded") {
  Work work;
  work.options.until_step = 10;
  work.Run();
  const fs::path weights = work.run() / "checkpoints/step-00000010/weights.safetensors";
  std::string bytes = ReadFile(weights).value();
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  REQUIRE(WriteFileAtomic(weights, bytes).ok());
  work.options.until_step = 0;
  const auto result = Train(work.options);
  REQUIRE(!result.ok());
  CHECK(result.error().code == Code::kValidation);
  CHECK(result.error().hint.find("step-00000010") != std::string::npos);
  REQUIRE(RemoveAll(weights.parent_path()).ok());
  CHECK(work.Run().weights_sha256 == Work().Run().weights_sha256);
}

TEST_CASE("train: divergence stops with the last good state on disk") {
  Work work;
  work.options.config.optimizer = "adamw";
  work.options.config.checkpoint_interval = 1;
  work.options.config.warmup = 0;
  work.options.config.clip = 0;
  work.options.config.lr = 1;
  work.options.config.weight_decay = 10;  // weights change their sign and grow ninefold each step
  work.options.config.spike_patience = 3;
  work.options.config.steps = 200;
  const auto result = Train(work.options);
  REQUIRE(!result.ok());
  CHECK(result.error().code == Code::kRuntime);
  CHECK(!fs::exists(work.run() / "model"));
  const auto checkpoints = ListCheckpoints(work.run());
  REQUIRE(!checkpoints.empty());
  CHECK(VerifyFolder(checkpoints.back()).ok());
  CHECK(work.Lines("stop").size() == 1);
}

TEST_CASE("train: a full disk ends with an error and leaves the checkpoints whole") {
  Work work;
  work.options.until_step = 5;
  work.Run();
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit low = before;
  low.rlim_cur = 100'000;  // less than the weights take
  REQUIRE(setrlimit(RLIMIT_FSIZE, &low) == 0);
  work.options.until_step = 10;
  const auto result = Train(work.options);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, old_handler);
  REQUIRE(!result.ok());
  CHECK(result.error().code == Code::kRuntime);
  CHECK(result.error().hint.find("resume") != std::string::npos);
  const auto checkpoints = ListCheckpoints(work.run());
  REQUIRE(checkpoints.size() == 1);
  CHECK(VerifyFolder(checkpoints[0]).ok());
  work.options.until_step = 0;
  CHECK(work.Run().weights_sha256 == Work().Run().weights_sha256);
}

TEST_CASE("train: foreign weights are refused") {
  Work work;
  work.options.until_step = 5;
  work.Run();
  const fs::path checkpoint = work.run() / "checkpoints/step-00000005";
  std::string state = ReadFile(checkpoint / "state.json").value();
  const size_t at = state.find("\"internal\"");
  REQUIRE(at != std::string::npos);
  state.replace(at, 10, "\"external\"");
  auto output = StageOutput::Create(work.run() / "checkpoints/step-00000006");
  REQUIRE(output.ok());
  for (const char* name : {"weights.safetensors", "optimizer.safetensors", "config.toml"}) {
    fs::copy_file(checkpoint / name, output->folder() / name);
  }
  REQUIRE(WriteFileAtomic(output->folder() / "state.json", state).ok());
  Manifest manifest;
  manifest.stage = "checkpoint";
  manifest.counts["step"] = 6;
  REQUIRE(output->Commit(manifest).ok());
  const auto result = Train(work.options);
  REQUIRE(!result.ok());
  CHECK(result.error().what.find("origin 'external'") != std::string::npos);
}

TEST_CASE("train: without data, and with too large a model, the errors name the way out") {
  SetLogLevel(LogLevel::kError);
  const TemporaryFolder empty;
  TrainOptions options;
  options.work = empty.path();
  CHECK(Train(options).error().code == Code::kRuntime);
  options.mode = TrainMode::kResume;
  CHECK(Train(options).error().hint.find("m31r train") != std::string::npos);
  Work work;
  work.options.config.width = 8192;
  work.options.config.layers = 64;
  work.options.config.ffn = 32768;
  const auto huge = Train(work.options);
  REQUIRE(!huge.ok());
  CHECK(huge.error().code == Code::kConfig);
  work.options.config = TestTrainConfig();
  work.options.config.time = 128;
  CHECK(Train(work.options).error().what.find("context") != std::string::npos);
  work.options.config.time = 64;
  work.options.plan_only = true;
  CHECK(work.Run().stop_reason == "plan");
  CHECK(!fs::exists(work.run()));
}

}  // namespace
}  // namespace pintle
