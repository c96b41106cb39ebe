#include "models/decoder/parity.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "base/file.h"

namespace pintle {
namespace {

std::filesystem::path Vectors(const std::string& name) {
  return std::filesystem::path(PINTLE_SOURCE_DIR) / "src/models/decoder/testdata" / name;
}

}  // namespace

TEST_CASE("logits, loss, gradients and updated weights agree with the float64 reference") {
  ThreadPool pool(2);
  for (const char* name : {"tied-gqa.safetensors", "untied-mha.safetensors"}) {
    CAPTURE(name);
    const auto report = RunParity(Vectors(name), pool);
    REQUIRE_MESSAGE(report.ok(), (report.ok() ? "" : report.error().Message()));
    CHECK(report->steps == 2);
    CHECK(report->logits > 0);
    CHECK(report->logits <= kParityForward);
    CHECK(report->loss <= kParityForward);
    CHECK_MESSAGE(report->grad <= kParityGradient, report->worst_grad);
    CHECK_MESSAGE(report->optimizer <= kParityGradient, report->worst_optimizer);
  }
}

TEST_CASE("parity follows the file: other data or constants show as errors, another schema is refused") {
  ThreadPool pool(1);
  const auto bytes = ReadFile(Vectors("untied-mha.safetensors"));
  REQUIRE(bytes.ok());
  TemporaryFolder folder;
  const auto path = folder.path() / "changed.safetensors";
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = *bytes;
    const size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    REQUIRE(from.size() == to.size());
    text.replace(at, from.size(), to);
    REQUIRE(WriteFileAtomic(path, text).ok());
    return RunParity(path, pool);
  };
  const auto rate = replaced("lr 1e-2", "lr 2e-2");
  REQUIRE(rate.ok());
  CHECK(rate->optimizer > 1e-3);
  CHECK(rate->logits > kParityForward);  // of the second step

  const auto decay = replaced("decay 0.1", "decay 0.9");
  REQUIRE(decay.ok());
  CHECK(decay->optimizer > kParityGradient);

  const auto base = replaced("\"1000000.0\"", "\"0010000.0\"");
  REQUIRE(base.ok());
  CHECK(base->logits > kParityForward);

  for (const auto& [from, to] :
       {std::pair{"\"heads\"", "\"hands\""}, std::pair{"betas 0", "bet as0"},
        std::pair{"\"vocab\": \"61\"", "\"vocab\": \"62\""}, std::pair{"\"tied\": \"False\"", "\"tied\": \"Maybe\""}}) {
    CAPTURE(from);
    const auto broken = replaced(from, to);
    REQUIRE_FALSE(broken.ok());
    CHECK(broken.error().code == Code::kValidation);
  }
}

}  // namespace pintle
