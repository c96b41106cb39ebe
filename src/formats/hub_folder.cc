#include "formats/hub_folder.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <map>
#include <set>

#include "base/json.h"
#include "formats/gguf_names.h"
#include "formats/safetensors.h"
#include "kernels/math.h"

namespace pintle {
namespace json = boost::json;
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kMaxJson = uint64_t{64} << 20;
constexpr size_t kMaxFiles = 1000;

struct Family {
  std::string_view model_type, architecture;
  bool halves;  // q and k rows that GGUF files hold as neighbours
};
constexpr Family kFamilies[] = {
    {"llama", "llama", true}, {"mistral", "llama", true}, {"qwen2", "qwen2", false}, {"qwen3", "qwen3", false}};

const json::value* Find(const json::value& object, std::string_view key) {
  return object.is_object() ? object.get_object().if_contains(key) : nullptr;
}

bool IsSet(const json::value* value) {
  return value != nullptr && !value->is_null() && !(value->is_bool() && !value->get_bool());
}

Error Refuse(const std::string& what, const std::string& where) {
  return ValidationError("config.json: " + what, where);
}

Result<const Family*> FamilyOf(const json::value& config, const std::string& where) {
  PINTLE_ASSIGN(const std::string type, JsonString(config, "model_type", where));
  for (const Family& family : kFamilies) {
    if (type == family.model_type) return &family;
  }
  return ValidationError("the model_type '" + type + "' is not known", where, "known: llama, mistral, qwen2, qwen3");
}

Result<double> Number(const json::value& object, std::string_view key, double otherwise, const std::string& where) {
  const json::value* value = Find(object, key);
  if (value == nullptr || value->is_null()) return otherwise;
  const double number = value->is_double()  ? value->get_double()
                        : value->is_int64() ? static_cast<double>(value->get_int64())
                                            : NAN;
  if (!std::isfinite(number)) return Refuse(std::string(key) + " is no number", where);
  return number;
}

Result<int64_t> Count(const json::value& config, std::string_view key, int64_t otherwise, const std::string& where) {
  const json::value* value = Find(config, key);
  if (otherwise > 0 && (value == nullptr || value->is_null())) return otherwise;
  PINTLE_ASSIGN(const int64_t count, JsonInt(config, key, where));
  if (count < 1 || count > int64_t{1} << 31) return Refuse(std::string(key) + " is out of range", where);
  return count;
}

// The object that says how RoPE is scaled, under its old or its new name.
const json::value* RopeSettings(const json::value& config) {
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (const json::value* found = Find(config, key); found != nullptr && found->is_object()) return found;
  }
  return nullptr;
}

std::string RopeType(const json::value& config) {
  const json::value* settings = RopeSettings(config);
  if (settings == nullptr) return "default";
  for (const char* key : {"rope_type", "type"}) {
    if (const json::value* type = Find(*settings, key); type != nullptr && type->is_string()) {
      return std::string(type->get_string());
    }
  }
  return "default";
}

Result<double> RopeTheta(const json::value& config, const std::string& where) {
  const json::value* settings = RopeSettings(config);
  const bool inside = settings != nullptr && Find(*settings, "rope_theta") != nullptr;
  return Number(inside ? *settings : config, "rope_theta", 10000, where);
}

// Our own configurations carry a name; else it is the folder's.
Result<std::string> NameOf(const json::value& config, const std::string& where) {
  if (const json::value* own = Find(config, "pintle")) return JsonString(*own, "name", where);
  std::error_code code;
  const fs::path path = fs::weakly_canonical(where, code);
  return code ? std::string() : path.filename().string();
}

// What no family here has.
Status CheckUnsupported(const json::value& config, const Family& family, const std::string& where) {
  if (IsSet(Find(config, "quantization_config"))) {
    return Refuse("the weights are quantised in a way that is not read here", where);
  }
  const json::value* act = Find(config, "hidden_act");
  if (act != nullptr && (!act->is_string() || act->get_string() != "silu"))
    return Refuse("hidden_act is not silu", where);
  // Qwen2 always has them on q, k and v, whatever it says.
  if (family.architecture != "qwen2" && IsSet(Find(config, "attention_bias")))
    return Refuse("attention_bias is set", where);
  if (IsSet(Find(config, "mlp_bias"))) return Refuse("mlp_bias is set", where);
  if (IsSet(Find(config, "use_sliding_window"))) return Refuse("use_sliding_window is set", where);
  const std::string rope = RopeType(config);
  if (rope != "default" && rope != "llama3") return Refuse("the RoPE scaling '" + rope + "' is not supported", where);
  return {};
}

// Llama 3.1's divisors of the frequencies, by wavelength: long ones by `factor`, short ones by 1, between them a blend.
Result<std::vector<float>> Llama3Divisors(const json::value& config, int64_t head_dim, const std::string& where) {
  const json::value& settings = *RopeSettings(config);
  PINTLE_ASSIGN(const double theta, RopeTheta(config, where));
  PINTLE_ASSIGN(const double factor, Number(settings, "factor", 0, where));
  PINTLE_ASSIGN(const double low, Number(settings, "low_freq_factor", 0, where));
  PINTLE_ASSIGN(const double high, Number(settings, "high_freq_factor", 0, where));
  PINTLE_ASSIGN(const double original, Number(settings, "original_max_position_embeddings", 0, where));
  if (!(factor >= 1 && low > 0 && high > low && original >= 1 && theta > 1)) {
    return Refuse("the numbers of the RoPE scaling make no sense", where);
  }
  std::vector<float> divisors;
  for (int64_t i = 0; i < head_dim / 2; ++i) {
    const double frequency = kernels::Pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim));
    const double wavelength = 2 * 3.14159265358979323846 / frequency;
    double divisor = factor;
    if (wavelength < original / high) {
      divisor = 1;
    } else if (wavelength <= original / low) {
      const double share = (original / wavelength - low) / (high - low);
      divisor = 1 / ((1 - share) / factor + share);
    }
    divisors.push_back(static_cast<float>(divisor));
  }
  return divisors;
}

GgufTensor MadeTensor(const std::string& name, const std::vector<float>& values) {
  GgufTensor tensor;
  tensor.name = name;
  tensor.shape = {static_cast<int64_t>(values.size())};
  GgufEncode(GgufType::kF32, values.data(), static_cast<int64_t>(values.size()), tensor.made);
  tensor.size = tensor.made.size();
  return tensor;
}

Result<GgufType> TypeOf(const SafetensorsEntry& entry, const std::string& where) {
  if (entry.dtype == FileDtype::kF32) return GgufType::kF32;
  if (entry.dtype == FileDtype::kF16) return GgufType::kF16;
  if (entry.dtype == FileDtype::kBF16) return GgufType::kBF16;
  return ValidationError("the tensor '" + entry.name + "' has the type " + std::string(FileDtypeName(entry.dtype)) +
                             ", not F32, F16 or BF16",
                         where);
}

// model.safetensors, or the files that the index names.
Result<std::vector<std::string>> WeightFiles(const fs::path& folder, std::map<std::string, std::string>& place) {
  std::error_code code;
  const fs::path index = folder / "model.safetensors.index.json";
  if (!fs::exists(index, code)) return std::vector<std::string>{"model.safetensors"};
  PINTLE_ASSIGN(const std::string text, ReadFile(index, kMaxJson));
  PINTLE_ASSIGN(const json::value root, ParseJson(text, index.string()));
  const json::value* map = Find(root, "weight_map");
  if (map == nullptr || !map->is_object()) return ValidationError("weight_map is missing", index.string());
  std::set<std::string> files;
  for (const auto& [name, value] : map->get_object()) {
    if (!value.is_string()) return ValidationError("weight_map holds something else than names", index.string());
    const std::string file(value.get_string());
    if (file.find('/') != std::string::npos || file.starts_with('.') || !file.ends_with(".safetensors")) {
      return ValidationError("weight_map names a file outside of the folder: " + JsonQuote(file), index.string());
    }
    files.insert(file);
    place.emplace(name, file);
  }
  if (files.empty() || files.size() > kMaxFiles) return ValidationError("weight_map names no files", index.string());
  return std::vector<std::string>(files.begin(), files.end());
}

Result<std::string> OptionalText(const fs::path& path) {
  std::error_code code;
  if (!fs::exists(path, code)) return std::string();
  return ReadFile(path, kMaxJson);
}

}  // namespace

Result<GgufMetadata> HubMetadata(const HubTexts& texts, const std::string& where) {
  PINTLE_ASSIGN(const json::value config, ParseJson(texts.config, where + "/config.json"));
  PINTLE_ASSIGN(const Family* family, FamilyOf(config, where));
  PINTLE_RETURN_IF_ERROR(CheckUnsupported(config, *family, where));
  const std::string architecture(family->architecture);
  PINTLE_ASSIGN(const std::string name, NameOf(config, where));
  GgufMetadata out = {{"general.architecture", GgufValue::String(architecture)},
                      {"general.name", GgufValue::String(name)},
                      {"general.quantization_version", GgufValue::U32(2)}};
  if (const json::value* own = Find(config, "pintle")) {
    PINTLE_ASSIGN(const std::string origin, JsonString(*own, "origin", where));
    out.emplace_back(kGgufOrigin, GgufValue::String(origin));
    out.emplace_back(kGgufSuffixFirst, GgufValue::Bool(true));
  }
  const auto count = [&](const char* key, int64_t value) {
    out.emplace_back(architecture + "." + key, GgufValue::U32(static_cast<uint32_t>(value)));
  };
  PINTLE_ASSIGN(const int64_t layers, Count(config, "num_hidden_layers", 0, where));
  PINTLE_ASSIGN(const int64_t width, Count(config, "hidden_size", 0, where));
  PINTLE_ASSIGN(const int64_t ffn, Count(config, "intermediate_size", 0, where));
  PINTLE_ASSIGN(const int64_t heads, Count(config, "num_attention_heads", 0, where));
  PINTLE_ASSIGN(const int64_t kv_heads, Count(config, "num_key_value_heads", heads, where));
  PINTLE_ASSIGN(const int64_t head_dim, Count(config, "head_dim", std::max<int64_t>(width / heads, 1), where));
  PINTLE_ASSIGN(const int64_t context, Count(config, "max_position_embeddings", 0, where));
  PINTLE_ASSIGN(const double theta, RopeTheta(config, where));
  PINTLE_ASSIGN(const double epsilon, Number(config, "rms_norm_eps", 1e-6, where));
  count("block_count", layers);
  count("context_length", context);
  count("embedding_length", width);
  count("feed_forward_length", ffn);
  count("attention.head_count", heads);
  count("attention.head_count_kv", kv_heads);
  count("attention.key_length", head_dim);
  count("attention.value_length", head_dim);
  count("rope.dimension_count", head_dim);
  if (const json::value* window = Find(config, "sliding_window");
      family->model_type == "mistral" && window != nullptr && !window->is_null()) {
    PINTLE_ASSIGN(const int64_t positions, Count(config, "sliding_window", 0, where));
    count("attention.sliding_window", positions);
  }
  out.emplace_back(architecture + ".rope.freq_base", GgufValue::F32(static_cast<float>(theta)));
  out.emplace_back(architecture + ".attention.layer_norm_rms_epsilon", GgufValue::F32(static_cast<float>(epsilon)));
  PINTLE_RETURN_IF_ERROR(AppendHubTokenizer(texts, config, where, out));
  return out;
}

Result<GgufFile> OpenHubFolder(const fs::path& folder) {
  const std::string where = folder.string();
  std::error_code code;
  if (!fs::exists(folder / "config.json", code)) {
    return RuntimeError("no model here: config.json is missing", where,
                        "a model folder holds config.json, tokenizer.json and model.safetensors");
  }
  HubTexts texts;
  PINTLE_ASSIGN(texts.config, ReadFile(folder / "config.json", kMaxJson));
  PINTLE_ASSIGN(texts.tokenizer, ReadFile(folder / "tokenizer.json", kMaxJson));
  PINTLE_ASSIGN(texts.tokenizer_config, OptionalText(folder / "tokenizer_config.json"));
  PINTLE_ASSIGN(texts.chat_template, OptionalText(folder / "chat_template.jinja"));
  GgufHeader header;
  PINTLE_ASSIGN(header.metadata, HubMetadata(texts, where));
  PINTLE_ASSIGN(const json::value config, ParseJson(texts.config, where));
  PINTLE_ASSIGN(const Family* family, FamilyOf(config, where));
  const std::string architecture(family->architecture);
  const int64_t head_dim = header.Find(architecture + ".attention.key_length")->integers[0];
  const bool tied = IsSet(Find(config, "tie_word_embeddings"));

  std::map<std::string, std::string> place;
  PINTLE_ASSIGN(const std::vector<std::string> files, WeightFiles(folder, place));
  std::vector<File> parts;
  std::set<std::string> names;
  for (const std::string& name : files) {
    PINTLE_ASSIGN(const SafetensorsFile weights, SafetensorsFile::Open(folder / name));
    for (const SafetensorsEntry& entry : weights.tensors()) {
      const auto placed = place.find(entry.name);
      if (!place.empty() && (placed == place.end() || placed->second != name)) {
        return ValidationError("the tensor '" + entry.name + "' is not where the index says", (folder / name).string());
      }
      if (entry.name.ends_with(".rotary_emb.inv_freq")) continue;  // follows from rope_theta
      if (tied && entry.name == "lm_head.weight") continue;        // the embedding again
      GgufTensor tensor;
      tensor.name = GgufNameOf(entry.name);
      if (tensor.name.empty() || entry.shape.empty() || !names.insert(tensor.name).second) {
        return ValidationError("the tensor '" + entry.name + "' has no place in this architecture",
                               (folder / name).string());
      }
      PINTLE_ASSIGN(tensor.type, TypeOf(entry, (folder / name).string()));
      tensor.shape = entry.shape;
      tensor.offset = entry.offset;
      tensor.size = entry.size;
      tensor.part = static_cast<uint32_t>(parts.size());
      const bool query_or_key = tensor.name.ends_with(".attn_q.weight") || tensor.name.ends_with(".attn_k.weight");
      if (family->halves && query_or_key) {
        if (tensor.shape.size() != 2 || head_dim % 2 != 0 || tensor.shape[0] % head_dim != 0) {
          return ValidationError("the tensor '" + entry.name + "' is not made of whole heads",
                                 (folder / name).string());
        }
        tensor.halves = head_dim;
      }
      header.tensors.push_back(std::move(tensor));
    }
    PINTLE_ASSIGN(File file, File::OpenRead(folder / name));
    parts.push_back(std::move(file));
  }
  if (!tied && !names.contains("output.weight")) {
    return ValidationError("lm_head.weight is missing, and tie_word_embeddings is not set", where);
  }
  if (RopeType(config) == "llama3") {
    PINTLE_ASSIGN(const std::vector<float> divisors, Llama3Divisors(config, head_dim, where));
    header.tensors.push_back(MadeTensor("rope_freqs.weight", divisors));
  }
  return GgufFile::OfParts(where, std::move(header), std::move(parts));
}

}  // namespace pintle
