#include "formats/gguf.h"

#include <doctest/doctest.h>

#include <cstring>

#include "base/hash.h"
#include "base/rng.h"
#include "formats/half.h"

namespace pintle {
namespace {

const std::filesystem::path kData = std::filesystem::path(PINTLE_SOURCE_DIR) / "src/formats/testdata";

Result<GgufHeader> Parse(const std::string& bytes) {
  const GgufRead read = [&](void* out, size_t size, uint64_t offset) -> Status {
    if (offset > bytes.size() || size > bytes.size() - offset) return RuntimeError("read past the end");
    std::memcpy(out, bytes.data() + offset, size);
    return {};
  };
  return ParseGgufHeader(read, bytes.size(), "test");
}

std::vector<float> Values(int64_t count) {
  RandomStream random(1, Purpose::kTest, 2);
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i) values.push_back((random.NextFloat() - 0.5f) * 3);
  return values;
}

GgufItem Item(const std::string& name, std::vector<int64_t> shape, GgufType type, const std::vector<float>& values) {
  return {name, std::move(shape), type, [&values, type](std::string& out) -> Status {
            GgufEncode(type, values.data(), static_cast<int64_t>(values.size()), out);
            return {};
          }};
}

std::string Sample() {
  static const std::vector<float> values = Values(96);
  const TemporaryFolder folder;
  const GgufMetadata metadata = {{"general.architecture", GgufValue::String("qwen3")},
                                 {"n", GgufValue::U32(4000000000u)},
                                 {"eps", GgufValue::F32(1e-6f)},
                                 {"yes", GgufValue::Bool(true)},
                                 {"tokens", GgufValue::Strings({"a", "", "\xff"})},
                                 {"types", GgufValue::I32s({1, -3})}};
  REQUIRE(WriteGguf(folder.path() / "x", metadata,
                    {Item("f32", {3, 32}, GgufType::kF32, values), Item("f16", {96}, GgufType::kF16, values),
                     Item("bf16", {2, 3, 16}, GgufType::kBF16, values), Item("q8", {3, 32}, GgufType::kQ8_0, values)})
              .ok());
  return ReadFile(folder.path() / "x").value();
}

TEST_CASE("gguf: what is written is read back") {
  const std::string bytes = Sample();
  const auto header = Parse(bytes);
  REQUIRE(header.ok());
  CHECK(header->Find("n")->integers[0] == 4000000000);
  CHECK(header->Find("eps")->reals[0] == 1e-6f);
  CHECK(header->Find("yes")->integers[0] == 1);
  CHECK(header->Find("tokens")->strings == std::vector<std::string>{"a", "", "\xff"});
  CHECK(header->Find("types")->integers == std::vector<int64_t>{1, -3});
  CHECK(header->Find("other") == nullptr);
  REQUIRE(header->tensors.size() == 4);
  CHECK(header->FindTensor("bf16")->shape == std::vector<int64_t>{2, 3, 16});
  const auto values = Values(96);
  for (const auto& tensor : header->tensors) {
    const auto read = GgufDecode(tensor.type, std::string_view(bytes).substr(tensor.offset, tensor.size)).value();
    REQUIRE(read.size() == 96);
    for (size_t i = 0; i < 96; ++i) {
      const float bound = tensor.type == GgufType::kF32 ? 0.0f : tensor.type == GgufType::kF16 ? 1e-3f : 1e-2f;
      CHECK(std::abs(read[i] - values[i]) <= bound);
    }
  }
}

TEST_CASE("gguf: Q8_0 blocks are those of llama.cpp") {
  // Worked by hand: max|x| = 127 gives d = 1, so q is x rounded half away from zero.
  std::vector<float> block(32, 0.0f);
  block[0] = -127.0f;
  block[1] = 0.5f;
  block[2] = -1.5f;
  block[3] = 2.49f;
  std::string out;
  GgufEncode(GgufType::kQ8_0, block.data(), 32, out);
  REQUIRE(out.size() == 34);
  CHECK(out.substr(0, 2) == std::string("\x00\x3c", 2));
  CHECK(static_cast<int8_t>(out[2]) == -127);
  CHECK(static_cast<int8_t>(out[3]) == 1);
  CHECK(static_cast<int8_t>(out[4]) == -2);
  CHECK(static_cast<int8_t>(out[5]) == 2);
  out.clear();
  GgufEncode(GgufType::kQ8_0, std::vector<float>(32, 0.0f).data(), 32, out);
  CHECK(out == std::string(34, '\0'));
  // d is too small to have an inverse: the quants are limited, and stand for 0.
  block.assign(32, 0.0f);
  block[1] = 1e-38f;
  block[2] = -1e-38f;
  out.clear();
  GgufEncode(GgufType::kQ8_0, block.data(), 32, out);
  CHECK(out.substr(0, 2) == std::string("\x00\x00", 2));
  CHECK(static_cast<int8_t>(out[3]) == 127);
  CHECK(static_cast<int8_t>(out[4]) == -127);
}

TEST_CASE("gguf: a file of another writer is read, and encoding its values again gives its bytes") {
  const auto file = GgufFile::Open(kData / "stories260K-q8_0.gguf");
  REQUIRE(file.ok());
  CHECK(file->header().Find("general.architecture")->strings[0] == "llama");
  CHECK(file->header().Find("llama.block_count")->integers[0] == 5);
  CHECK(file->header().Find("tokenizer.ggml.tokens")->strings.size() == 512);
  const GgufTensor* embedding = file->header().FindTensor("token_embd.weight");
  REQUIRE(embedding != nullptr);
  CHECK(embedding->shape == std::vector<int64_t>{512, 64});
  int quantised = 0;
  for (const auto& tensor : file->header().tensors) {
    const std::string bytes = file->ReadTensor(tensor).value();
    const auto values = GgufDecode(tensor.type, bytes).value();
    CHECK(static_cast<int64_t>(values.size()) == tensor.elements());
    std::string again;
    GgufEncode(tensor.type, values.data(), tensor.elements(), again);
    CHECK(again == bytes);
    quantised += tensor.type == GgufType::kQ8_0 ? 1 : 0;
  }
  CHECK(quantised > 20);
}

TEST_CASE("gguf: cut anywhere in its header it is an error") {
  const std::string bytes = Sample();
  for (size_t size = 0; size < bytes.size() - 32; ++size) CHECK(!Parse(bytes.substr(0, size)).ok());
}

TEST_CASE("gguf: any byte of the header changed gives an error or a header inside the file") {
  const std::string bytes = Sample();
  for (size_t i = 0; i < 400; ++i) {
    for (const int flip : {1, 0x80, 0xff}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      const auto header = Parse(damaged);
      if (!header.ok()) continue;
      for (const auto& tensor : header->tensors) CHECK(tensor.offset + tensor.size <= damaged.size());
    }
  }
}

TEST_CASE("gguf: refusals name their reason") {
  const std::string bytes = Sample();
  const auto reason = [](const std::string& text) {
    const auto result = Parse(text);
    return result.ok() ? std::string("accepted") : result.error().what;
  };
  CHECK(reason("GGML" + bytes.substr(4)).find("begin with GGUF") != std::string::npos);
  CHECK(reason(bytes.substr(0, 4) + std::string("\x01\0\0\0", 4) + bytes.substr(8)).find("version 1") !=
        std::string::npos);
  CHECK(reason(bytes.substr(0, 4) + std::string("\0\0\0\x03", 4) + bytes.substr(8)).find("big-endian") !=
        std::string::npos);
  CHECK(reason(bytes.substr(0, 8) + std::string(16, '\xff') + bytes.substr(24)).find("counts") != std::string::npos);
  std::string twice = bytes;
  const size_t at = twice.find("f16");
  twice.replace(at, 3, "f32");
  CHECK(reason(twice).find("occurs twice") != std::string::npos);
}

}  // namespace
}  // namespace pintle
