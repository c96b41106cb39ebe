// The checkpoints in testdata/fuzz_torch_pickle were written with Python's own pickle and zipfile, with empty classes
// of torch's names.
#include "formats/torch_pickle.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "base/file.h"

namespace pintle {
namespace {

std::string Bytes(const std::string& name) {
  const auto bytes =
      ReadFile(std::filesystem::path(PINTLE_SOURCE_DIR) / "src/formats/testdata/fuzz_torch_pickle" / name);
  REQUIRE(bytes.ok());
  return *bytes;
}

std::string WhatFails(const std::string& bytes) {
  const auto tensors = ParseTorchArchive(bytes, "x.pt");
  return tensors.ok() ? "" : tensors.error().what;
}

}  // namespace

TEST_CASE("tensors of a checkpoint: names, shapes, views into one storage, bf16") {
  const std::string bytes = Bytes("ordered.pt");
  const auto tensors = ParseTorchArchive(bytes, "ordered.pt");
  REQUIRE_MESSAGE(tensors.ok(), (tensors.ok() ? "" : tensors.error().Message()));
  REQUIRE(tensors->size() == 3);
  CHECK((*tensors)[0].name == "_orig_mod.model.inner.a");
  CHECK((*tensors)[0].shape == std::vector<int64_t>{2, 3});
  float six[6];
  REQUIRE(TorchFloats((*tensors)[0], six, 6).ok());
  CHECK(six[5] == 6);
  REQUIRE(TorchFloats((*tensors)[1], six, 2).ok());
  CHECK(six[0] == 5);
  CHECK((*tensors)[2].dtype == FileDtype::kBF16);
  REQUIRE(TorchFloats((*tensors)[2], six, 2).ok());
  CHECK(six[1] == -2);
  CHECK(!TorchFloats((*tensors)[2], six, 3).ok());

  const std::string inner = Bytes("nested.pt");
  const auto nested = ParseTorchArchive(inner, "nested.pt");
  REQUIRE(nested.ok());
  REQUIRE(nested->size() == 1);
  CHECK((*nested)[0].name == "model.w");
  REQUIRE(TorchFloats((*nested)[0], six, 4).ok());
  CHECK(six[0] == 2);
}

TEST_CASE("a pickle that calls something else is refused, and damage is an error") {
  CHECK(WhatFails(Bytes("evil.pt")).find("which is no tensor") != std::string::npos);
  CHECK(WhatFails("hello") == "too short for a zip archive");
  CHECK(WhatFails(std::string(100, 'x')) == "no zip archive: its end record is missing");
  const std::string whole = Bytes("ordered.pt");
  std::string compressed = whole;
  const size_t entry = compressed.find("PK\x01\x02");
  compressed[entry + 10] = 8;
  CHECK(WhatFails(compressed).find("is compressed or encrypted") != std::string::npos);
  std::string empty_stack = whole;
  empty_stack.at(empty_stack.find("\x80\x02")) = 'Q';
  CHECK(WhatFails(empty_stack) == "the pickle is malformed");
  // Any cut and any flipped byte: an error or a result, never a crash.
  for (size_t size = 0; size < whole.size(); size += 7) CHECK(!WhatFails(whole.substr(0, size)).empty());
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x55);
    static_cast<void>(WhatFails(flipped));
  }
}

}  // namespace pintle
