#include "formats/safetensors.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "formats/half.h"

namespace pintle {
namespace {

std::string Length(uint64_t n) {
  std::string text;
  for (int i = 0; i < 8; ++i) text += static_cast<char>((n >> (8 * i)) & 0xff);
  return text;
}

Result<SafetensorsHeader> Parse(const std::string& json, uint64_t data) {
  return ParseSafetensorsHeader(json, 8 + json.size() + data, "test");
}

std::string Reason(const std::string& json, uint64_t data) {
  const auto result = Parse(json, data);
  return result.ok() ? "accepted" : result.error().what;
}

TEST_CASE("safetensors: what is written is read back, in any order of the items, with the same bytes") {
  const TemporaryFolder folder;
  const std::vector<float> weights = {1.5f, -2.0f, 0.25f, 3.0f, 1e-30f, -0.0f};
  const std::vector<double> wide = {1.0 / 3, -7};
  const std::vector<uint16_t> narrow = {BF16OfFloat(1.0f), BF16OfFloat(-3.0f), BF16OfFloat(0.1f)};
  const std::vector<uint16_t> half = {F16OfFloat(0.5f)};
  const std::vector<int32_t> ids = {-100, 7};
  const std::vector<SafetensorsItem> items = {
      {"b", FileDtype::kBF16, {3}, narrow.data()}, {"a \"quoted\"", FileDtype::kF32, {2, 3}, weights.data()},
      {"ids", FileDtype::kI32, {2}, ids.data()},   {"h", FileDtype::kF16, {}, half.data()},
      {"none", FileDtype::kF32, {0, 4}, nullptr},  {"wide", FileDtype::kF64, {2, 1}, wide.data()}};
  REQUIRE(WriteSafetensors(folder.path() / "x", {{"k", "v"}, {"a", "\n"}}, items).ok());
  REQUIRE(WriteSafetensors(folder.path() / "y", {{"a", "\n"}, {"k", "v"}}, {items.rbegin(), items.rend()}).ok());
  CHECK(ReadFile(folder.path() / "x").value() == ReadFile(folder.path() / "y").value());

  auto opened = SafetensorsFile::Open(folder.path() / "x");
  REQUIRE(opened.ok());
  const SafetensorsFile& file = *opened;
  CHECK(file.metadata() == std::map<std::string, std::string>{{"k", "v"}, {"a", "\n"}});
  REQUIRE(file.tensors().size() == 6);
  CHECK(file.tensors()[0].name == "a \"quoted\"");
  CHECK(file.tensors()[0].shape == std::vector<int64_t>{2, 3});
  CHECK(file.ReadFloats("a \"quoted\"").value() == weights);
  CHECK(std::signbit(file.ReadFloats("a \"quoted\"").value()[5]));
  CHECK(file.ReadDoubles("wide").value() == wide);
  CHECK(file.ReadFloats("wide").value()[0] == 1.0f / 3);
  CHECK(file.ReadFloats("b").value()[1] == -3.0f);
  CHECK(file.ReadDoubles("h").value() == std::vector<double>{0.5});
  CHECK(file.ReadInts("ids").value() == std::vector<int64_t>{-100, 7});
  CHECK(file.ReadFloats("none").value().empty());
  CHECK(!file.ReadFloats("ids").ok());
  CHECK(!file.ReadInts("wide").ok());
  CHECK(file.Get("wid").error().hint == "the nearest name in it is \"wide\"");
  float one = 0;
  CHECK(!file.ReadFloatsInto("b", &one, 1).ok());
  for (const auto& entry : file.tensors()) CHECK(entry.offset % static_cast<uint64_t>(FileDtypeSize(entry.dtype)) == 0);
}

TEST_CASE("safetensors: each kind of damage is refused with its own reason") {
  const std::string good = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  CHECK(Reason(good, 8) == "accepted");
  CHECK(Reason(good, 7).find("outside the file") != std::string::npos);
  CHECK(Reason(good, 9).find("behind the last tensor") != std::string::npos);
  CHECK(Reason("[]", 0).find("not a JSON object") != std::string::npos);
  CHECK(Reason("{", 0).find("accepted") == std::string::npos);
  CHECK(Reason(R"({"a":1})", 0).find("not an object") != std::string::npos);
  CHECK(Reason(R"({"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}})", 8).find("unknown dtype") !=
        std::string::npos);
  CHECK(Reason(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8).find("wants 12") != std::string::npos);
  CHECK(Reason(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8).find("natural") != std::string::npos);
  CHECK(Reason(R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", 8).find("natural") != std::string::npos);
  CHECK(Reason(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8).find("outside") != std::string::npos);
  CHECK(Reason(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}})", 8).find("exactly") !=
        std::string::npos);
  CHECK(Reason(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}})", 8)
            .find("overflows") != std::string::npos);
  CHECK(Reason(R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})", 4).find("8 dim") !=
        std::string::npos);
  const std::string two =
      R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":)";
  CHECK(Reason(two + "[4,8]}}", 8) == "accepted");
  CHECK(Reason(two + "[2,6]}}", 8).find("overlaps") != std::string::npos);
  CHECK(Reason(two + "[5,9]}}", 9).find("hole") != std::string::npos);
  const std::string a = R"("a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
  CHECK(Reason("{" + a + "," + a + "}", 4).find("twice") != std::string::npos);
  CHECK(Reason(R"({"__metadata__":{"k":"1","k":"2"}})", 0).find("twice") != std::string::npos);
  CHECK(Reason(R"({"__metadata__":{"k":1}})", 0).find("not a string") != std::string::npos);
  CHECK(Reason(R"({"__metadata__":{"k:{":"x\":y"}})", 0) == "accepted");
}

TEST_CASE("safetensors: a file cut anywhere is an error, never a crash") {
  const TemporaryFolder folder;
  const std::vector<float> weights(16, 1.0f);
  REQUIRE(WriteSafetensors(folder.path() / "x", {}, {{"w", FileDtype::kF32, {4, 4}, weights.data()}}).ok());
  const std::string whole = ReadFile(folder.path() / "x").value();
  for (size_t size = 0; size < whole.size(); ++size) {
    REQUIRE(WriteFileAtomic(folder.path() / "cut", whole.substr(0, size)).ok());
    const auto result = SafetensorsFile::Open(folder.path() / "cut");
    CHECK(!result.ok());
    if (!result.ok()) CHECK(result.error().code == Code::kValidation);
  }
  for (const uint64_t length : {uint64_t{1} << 63, uint64_t{100'000'001}, ~uint64_t{0}}) {
    REQUIRE(WriteFileAtomic(folder.path() / "huge", Length(length) + "{}").ok());
    CHECK(!SafetensorsFile::Open(folder.path() / "huge").ok());
  }
}

TEST_CASE("safetensors: a file that shrinks after opening is an error") {
  const TemporaryFolder folder;
  const std::vector<float> weights(16, 1.0f);
  REQUIRE(WriteSafetensors(folder.path() / "x", {}, {{"w", FileDtype::kF32, {4, 4}, weights.data()}}).ok());
  auto file = SafetensorsFile::Open(folder.path() / "x");
  REQUIRE(file.ok());
  std::filesystem::resize_file(folder.path() / "x", 100);
  CHECK(!file->ReadFloats("w").ok());
}

TEST_CASE("half: f16 and bf16 round to nearest even and read back exactly") {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float f16 = FloatOfF16(half);
    if (std::isnan(f16)) {
      CHECK(std::isnan(FloatOfF16(F16OfFloat(f16))));
    } else {
      CHECK(F16OfFloat(f16) == half);
    }
    const float bf16 = FloatOfBF16(half);
    if (std::isnan(bf16)) {
      CHECK(std::isnan(FloatOfBF16(BF16OfFloat(bf16))));
    } else {
      CHECK(BF16OfFloat(bf16) == half);
    }
  }
  CHECK(FloatOfF16(0x3c00) == 1.0f);
  CHECK(FloatOfF16(0x0001) == 0x1p-24f);
  CHECK(F16OfFloat(65519.0f) == 0x7bff);
  CHECK(F16OfFloat(65520.0f) == 0x7c00);
  CHECK(F16OfFloat(0x1p-25f) == 0);
  CHECK(F16OfFloat(0x1.8p-24f) == 2);              // 1.5 units tie to the even 2
  CHECK(F16OfFloat(1.0f + 0x1p-11f) == 0x3c00);    // tie down
  CHECK(F16OfFloat(1.0f + 0x1.8p-10f) == 0x3c02);  // tie up
  CHECK(BF16OfFloat(1.0f + 0x1p-8f) == 0x3f80);
  CHECK(BF16OfFloat(1.0f + 0x1.8p-7f) == 0x3f82);
  CHECK(BF16OfFloat(std::numeric_limits<float>::max()) == 0x7f80);
}

}  // namespace
}  // namespace pintle
