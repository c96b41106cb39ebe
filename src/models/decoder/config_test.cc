#include "models/decoder/config.h"

#include <doctest/doctest.h>

namespace pintle {

TEST_CASE("each preset is valid, below the limit, and survives its config.json") {
  const struct {
    const char* name;
    int64_t parameters;
  } counts[] = {{"m31r-1m", 1'312'384},   {"m31r-6m", 6'819'840},     {"m31r-30m", 33'564'160},
                {"m31r-60m", 69'485'696}, {"m31r-200m", 226'528'256}, {"m31r-500m", 491'585'792}};
  REQUIRE(DecoderPresetNames().size() == 6);
  for (const auto& [name, parameters] : counts) {
    CAPTURE(name);
    const auto config = DecoderPreset(name);
    REQUIRE(config.ok());
    CHECK(ParameterCount(*config) == parameters);
    CHECK(ValidateDecoderConfig(*config, "preset").ok());
    const std::string text = DecoderConfigJson(*config, 8160);
    const auto again = ParseDecoderConfig(text, "config.json");
    REQUIRE(again.ok());
    CHECK(DecoderConfigJson(*again, 8160) == text);
  }
}

TEST_CASE("unknown presets and impossible shapes are config errors") {
  const auto unknown = DecoderPreset("m31r-7m");
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().code == Code::kConfig);
  CHECK(unknown.error().hint.find("m31r-6m") != std::string::npos);

  DecoderConfig config = *DecoderPreset("m31r-500m");
  config.ffn = 4096;
  const Status large = ValidateDecoderConfig(config, "config.json");
  REQUIRE_FALSE(large.ok());
  CHECK(large.error().what == "526975232 parameters; the limit is 500000000");

  config = *DecoderPreset("m31r-6m");
  config.kv_heads = 3;
  CHECK_FALSE(ValidateDecoderConfig(config, "").ok());
  config.kv_heads = 2;
  config.head_dim = 63;
  CHECK_FALSE(ValidateDecoderConfig(config, "").ok());
  config.head_dim = 64;
  config.rope_theta = 0;
  CHECK_FALSE(ValidateDecoderConfig(config, "").ok());
}

TEST_CASE("a foreign config.json is external and takes its dtype from torch_dtype") {
  std::string text = DecoderConfigJson(*DecoderPreset("m31r-1m"), -1);
  const size_t own = text.find(",\n  \"pintle\"");
  REQUIRE(own != std::string::npos);
  text = text.substr(0, own) + "\n}\n";
  const auto config = ParseDecoderConfig(text, "config.json");
  REQUIRE(config.ok());
  CHECK(config->origin == "external");
  CHECK(config->dtype == DType::kBF16);
  CHECK_FALSE(ParseDecoderConfig("{}", "config.json").ok());
  CHECK_FALSE(ParseDecoderConfig("{\"model_type\": 3}", "config.json").ok());
}

}  // namespace pintle
