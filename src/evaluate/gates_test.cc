#include "evaluate/gates.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "base/file.h"

namespace pintle {
namespace {
namespace json = boost::json;

const std::string kMetrics =
    R"({"model":{"name":"m","parameters":6000000},"seed":1,"rustc":"rustc 1","sampling":{"samples":5},"problems":10,)"
    R"("compile_rate":0.75,"compile_interval":[0.6,0.85],"pass_at":{"1":0.2,"5":0.4},"pass_at_interval":{"5":[0.2,0.6]},)"
    R"("system":{"compile_rate":0.99,"pass_at_1":0.9},"suites":[{"sha256":"a"}],"bits_per_byte":{"bytes":100,"model":1.5},)"
    R"("fim":{"single_line":{"exact_match":0.1}}})";
const std::string kMachine = R"({"ms_per_token":12.5,"first_token_ms":80,"peak_resident_bytes":900000000})";

TEST_CASE("gates: raw values against the thresholds, a system score never fills one") {
  const TemporaryFolder folder;
  std::string log = "{\"type\":\"validation\",\"step\":1,\"bits_per_byte\":3.5}\n";
  for (int i = 1; i <= 100; ++i) {
    // Resumed after step 60 by a program with other needs.
    if (i == 1 || i == 61) log += "{\"type\":\"start\",\"step\":" + std::to_string(i - 1) + "}\n";
    const int resident = (i <= 60 ? 1000 : 2000) + i % 3;
    log += "{\"type\":\"step\",\"step\":" + std::to_string(i) +
           ",\"loss\":2,\"rss_bytes\":" + std::to_string(resident) + "}\n";
  }
  log += "{\"type\":\"validation\",\"step\":100,\"bits_per_byte\":1.5}\n{\"type\":\"step\",\"st";
  CHECK(WriteFileAtomic(folder.path() / "run.jsonl", log).ok());
  const std::vector<Gate> gates = ComputeGates(*MergeEvaluation(kMetrics, kMachine), folder.path() / "run.jsonl");
  REQUIRE(gates.size() == 8);
  CHECK(gates[0].value == "75.0 % (60.0 to 85.0)");
  CHECK(gates[0].met);
  CHECK(gates[1].value == "40.0 % (20.0 to 60.0)");
  CHECK(!gates[1].met);
  CHECK(gates[2].met);
  CHECK(gates[3].value.find("0.90 GB") != std::string::npos);
  CHECK(gates[4].met);
  CHECK(gates[5].met);
  CHECK(gates[6].value == "0.20 % over 100 steps");
  CHECK(gates[6].met);
  CHECK(!gates[7].met);
  const std::string table = GatesTable(gates);
  CHECK(table.find("pass@5                   >= 60 %                40.0 % (20.0 to 60.0)") != std::string::npos);
  CHECK(table.find("NOT MET") != std::string::npos);
  CHECK(table.find("6 of 8 met") != std::string::npos);
}

TEST_CASE("memory that grows after the first step of a run is not stable") {
  const TemporaryFolder folder;
  std::string log = "{\"type\":\"start\",\"step\":0}\n";
  for (int i = 1; i <= 100; ++i) {
    log += "{\"type\":\"step\",\"step\":" + std::to_string(i) +
           ",\"rss_bytes\":" + std::to_string(i < 3 ? 1000 : 1011) + "}\n";
  }
  CHECK(WriteFileAtomic(folder.path() / "run.jsonl", log).ok());
  const Gate gate = ComputeGates(*MergeEvaluation(kMetrics, ""), folder.path() / "run.jsonl")[6];
  CHECK(gate.value == "1.10 % over 100 steps");
  CHECK(!gate.met);
}

TEST_CASE("determinism is what a rebuilding of the same model found") {
  const TemporaryFolder folder;
  const auto gate = [&](const std::string& reproduced, const std::string& evaluated) {
    CHECK(WriteFileAtomic(folder.path() / "reproduced.json", reproduced).ok());
    return ComputeGates(*MergeEvaluation("{\"model\":{\"weights_sha256\":\"" + evaluated + "\"}}", ""),
                        folder.path() / "run.jsonl")[7];
  };
  const std::string same =
      R"({"model":"m31r-1m","same_data":true,"same_weights":true,"weights":"w","shipped_weights":"w"})";
  CHECK(gate(same, "w").value == "rebuilt, the bytes of m31r-1m");
  CHECK(gate(same, "w").met);
  CHECK(gate(same, "v").value == "not measured: another model was rebuilt");
  CHECK(!gate(same, "v").met);
  const std::string other =
      R"({"model":"m31r-1m","same_data":true,"same_weights":false,"weights":"w","shipped_weights":"x"})";
  CHECK(gate(other, "w").value == "rebuilt, other bytes than m31r-1m");
  CHECK(!gate(other, "w").met);
  const std::string data = R"({"model":"m31r-1m","same_data":false,"same_weights":false,"weights":"w"})";
  CHECK(gate(data, "w").value == "not measured: rebuilt from other data than m31r-1m");
  CHECK(!gate("[1", "w").met);
}

TEST_CASE("what was not measured is not met") {
  const std::vector<Gate> gates = ComputeGates(*MergeEvaluation("{\"compile_rate\":null,\"pass_at\":null}", ""), "");
  for (const Gate& gate : gates) {
    CHECK(!gate.met);
    CHECK(gate.value.find("not measured") == 0);
  }
}

TEST_CASE("regressions: 5 % of quality, 10 % of speed, and only what is comparable") {
  const json::object before = *MergeEvaluation(kMetrics, kMachine);
  const auto unchanged = CompareEvaluations(before, before);
  REQUIRE(unchanged.ok());
  CHECK(unchanged->size() >= 4);
  CHECK(CheckForRegressions(*unchanged, "before").ok());
  json::object now = before;
  now["compile_rate"] = 0.75 * 0.96;
  now["bits_per_byte"].as_object()["model"] = 1.5 * 1.06;
  now["machine"].as_object()["ms_per_token"] = 12.5 * 1.09;
  now["machine"].as_object()["first_token_ms"] = 80 * 1.2;
  const auto changes = CompareEvaluations(now, before);
  REQUIRE(changes.ok());
  const Status worse = CheckForRegressions(*changes, "before");
  REQUIRE_FALSE(worse.ok());
  CHECK(worse.error().code == Code::kValidation);
  CHECK(worse.error().what ==
        "worse than the baseline: bits_per_byte.model from 1.5 to 1.59, machine.first_token_ms from 80 to 96");
  now["suites"].as_array()[0].as_object()["sha256"] = "b";
  CHECK(CompareEvaluations(now, before).error().what.find("other tasks") != std::string::npos);
  now["seed"] = 2;
  CHECK(CompareEvaluations(now, before).error().what.find("another seed") != std::string::npos);
}

}  // namespace
}  // namespace pintle
