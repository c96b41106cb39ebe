#include "models/trm/parity.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "base/file.h"

namespace pintle {
namespace {

std::filesystem::path Vectors(const std::string& name) {
  return std::filesystem::path(PINTLE_SOURCE_DIR) / "src/models/trm/testdata" / name;
}

}  // namespace

TEST_CASE("states, logits, loss, gradients and updated weights agree with the reference") {
  ThreadPool pool(2);
  for (const char* name : {"mlp_t.safetensors", "attention.safetensors"}) {
    for (const bool recompute : {false, true}) {
      CAPTURE(std::string(name));
      CAPTURE(recompute);
      const auto report = RunTrmParity(Vectors(name), recompute, pool);
      REQUIRE_MESSAGE(report.ok(), (report.ok() ? "" : report.error().Message()));
      CHECK(report->steps == 4);
      CHECK(report->logits > 0);
      CHECK(report->logits <= kTrmParity);
      CHECK(report->q_halt <= kTrmParity);
      CHECK(report->loss <= kTrmParity);
      CHECK(report->z <= kTrmParity);
      CHECK(report->drift <= 10 * kTrmParity);
      CHECK_MESSAGE(report->grad <= kTrmParity, report->worst_grad);
      CHECK_MESSAGE(report->optimizer <= kTrmParity, report->worst_optimizer);
    }
  }
}

TEST_CASE("parity follows the file: another depth shows as an error, another schema is refused") {
  ThreadPool pool(1);
  const auto bytes = ReadFile(Vectors("mlp_t.safetensors"));
  REQUIRE(bytes.ok());
  TemporaryFolder folder;
  const auto path = folder.path() / "changed.safetensors";
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = *bytes;
    const size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
    REQUIRE(WriteFileAtomic(path, text).ok());
    return RunTrmParity(path, false, pool);
  };
  // Another depth makes other answers, and slots halt elsewhere.
  const auto deeper = replaced("\"L_cycles\": \"2\"", "\"L_cycles\": \"3\"");
  CHECK((!deeper.ok() || deeper->logits > 0.01));
  const auto slower = replaced("lr 1e-3", "lr 2e-3");
  REQUIRE(slower.ok());
  CHECK(slower->optimizer > kTrmParity);
  const auto unknown = replaced("\"mlp_t\": \"True\"", "\"mlp_X\": \"True\"");
  REQUIRE(!unknown.ok());
  CHECK(unknown.error().code == Code::kValidation);
}

}  // namespace pintle
