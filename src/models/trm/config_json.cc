// config.json of a model folder; see config.h. Apart from config.cc because builds of the engine alone have no JSON.
#include <boost/json.hpp>
#include <string>

#include "base/json.h"
#include "models/trm/config.h"

namespace pintle {
namespace {

namespace json = boost::json;

constexpr const char* kPositionNames[] = {"none", "rope", "rope2d"};

// The reference has a flag for one of its two mixings; what it does not have is named beside it.
constexpr char kLocal[] = "local";

}  // namespace

std::string TrmConfigJson(const TrmConfig& c) {
  json::object own = {{"inner_rounding", c.inner_rounding},
                      {"rows", c.rows},
                      {"columns", c.columns},
                      {"profile", c.profile == kernels::Profile::kFma ? "fma" : "muladd"}};
  if (c.mixing == TrmMixing::kLocal) own["mixing"] = kLocal;
  const json::object root = {{"architecture", "TinyRecursiveReasoningModel_ACTV1"},
                             {"seq_len", c.cells},
                             {"vocab_size", c.vocab},
                             {"puzzle_emb_len", c.prefix},
                             {"puzzle_emb_ndim", c.width},
                             {"num_puzzle_identifiers", c.puzzle_ids},
                             {"hidden_size", c.width},
                             {"L_layers", c.layers},
                             {"mlp_t", c.mixing == TrmMixing::kMlpT},
                             {"pos_encodings", kPositionNames[static_cast<int>(c.positions)]},
                             {"num_heads", c.heads},
                             {"H_cycles", c.h_cycles},
                             {"L_cycles", c.l_cycles},
                             {"halt_max_steps", c.halt_max_steps},
                             {"forward_dtype", c.dtype == DType::kBF16 ? "bfloat16" : "float32"},
                             {"pintle", own}};
  return DumpJson(root, 2) + "\n";
}

Result<TrmConfig> ParseTrmConfig(std::string_view text, const std::string& where) {
  PINTLE_ASSIGN(const json::value root, ParseJson(text, where));
  TrmConfig c;
  PINTLE_ASSIGN(const std::string architecture, JsonString(root, "architecture", where));
  if (architecture != "TinyRecursiveReasoningModel_ACTV1") {
    return ConfigError("architecture '" + architecture.substr(0, 80) + "' is not a Tiny Recursive Model", where);
  }
  const struct {
    const char* key;
    int64_t* to;
  } numbers[] = {{"seq_len", &c.cells},         {"vocab_size", &c.vocab},
                 {"puzzle_emb_len", &c.prefix}, {"num_puzzle_identifiers", &c.puzzle_ids},
                 {"hidden_size", &c.width},     {"L_layers", &c.layers},
                 {"num_heads", &c.heads},       {"H_cycles", &c.h_cycles},
                 {"L_cycles", &c.l_cycles},     {"halt_max_steps", &c.halt_max_steps}};
  for (const auto& number : numbers) {
    PINTLE_ASSIGN(*number.to, JsonInt(root, number.key, where));
  }
  PINTLE_ASSIGN(const bool mlp_t, JsonBool(root, "mlp_t", where));
  c.mixing = mlp_t ? TrmMixing::kMlpT : TrmMixing::kAttention;
  PINTLE_ASSIGN(const std::string positions, JsonString(root, "pos_encodings", where));
  int kind = 0;
  while (kind < 3 && positions != kPositionNames[kind]) ++kind;
  if (kind == 3)
    return ConfigError("pos_encodings '" + positions.substr(0, 80) + "' is not none, rope or rope2d", where);
  c.positions = static_cast<TrmPositions>(kind);
  PINTLE_ASSIGN(const std::string dtype, JsonString(root, "forward_dtype", where));
  if (dtype != "bfloat16" && dtype != "float32") {
    return ConfigError("forward_dtype '" + dtype.substr(0, 80) + "' is not bfloat16 or float32", where);
  }
  c.dtype = dtype == "bfloat16" ? DType::kBF16 : DType::kF32;
  const json::value* own = root.is_object() ? root.get_object().if_contains("pintle") : nullptr;
  if (own == nullptr) return ConfigError("the object 'pintle' is missing", where);
  const std::string place = where + ": pintle";
  PINTLE_ASSIGN(c.inner_rounding, JsonInt(*own, "inner_rounding", place));
  PINTLE_ASSIGN(c.rows, JsonInt(*own, "rows", place));
  PINTLE_ASSIGN(c.columns, JsonInt(*own, "columns", place));
  PINTLE_ASSIGN(const std::string profile, JsonString(*own, "profile", place));
  if (profile != "fma" && profile != "muladd") return ConfigError("profile is not fma or muladd", place);
  c.profile = profile == "fma" ? kernels::Profile::kFma : kernels::Profile::kMuladd;
  if (own->as_object().contains("mixing")) {
    PINTLE_ASSIGN(const std::string mixing, JsonString(*own, "mixing", place));
    if (mixing != kLocal || mlp_t) return ConfigError("mixing is not local", place);
    c.mixing = TrmMixing::kLocal;
  }
  PINTLE_RETURN_IF_ERROR(ValidateTrmConfig(c, where));
  return c;
}

}  // namespace pintle
