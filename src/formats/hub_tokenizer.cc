// tokenizer.json as the keys tokenizer.ggml.*: byte-level BPE with the expressions of Qwen2, Llama 3 and GPT-2, and
// SentencePiece models written as BPE with bytes to fall back on (Mistral, Llama 2).
#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <optional>

#include "base/json.h"
#include "formats/hub_folder.h"

namespace pintle {
namespace json = boost::json;
namespace {

constexpr int64_t kMaxTokens = int64_t{1} << 20;
// tokenizer.ggml.token_type
enum TokenType : int64_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kSpace = "\xe2\x96\x81";  // U+2581

const json::value* Find(const json::value* object, std::string_view key) {
  return object != nullptr && object->is_object() ? object->get_object().if_contains(key) : nullptr;
}

std::string_view Text(const json::value* value) {
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

bool IsTrue(const json::value* value) { return value != nullptr && value->is_bool() && value->get_bool(); }

// A step, or the steps of a Sequence under `list`.
std::vector<const json::value*> Steps(const json::value* step, const char* list) {
  std::vector<const json::value*> steps;
  if (step == nullptr || step->is_null()) return steps;
  const json::value* inner = Text(Find(step, "type")) == "Sequence" ? Find(step, list) : nullptr;
  if (inner == nullptr || !inner->is_array()) return {step};
  for (const json::value& each : inner->get_array()) steps.push_back(&each);
  return steps;
}

const json::value* StepOf(const std::vector<const json::value*>& steps, std::string_view type) {
  for (const json::value* step : steps) {
    if (Text(Find(step, "type")) == type) return step;
  }
  return nullptr;
}

// How text is cut before BPE, as GGUF names it.
Result<std::string> PreName(const json::value& root, const std::string& where) {
  const auto steps = Steps(Find(&root, "pre_tokenizer"), "pretokenizers");
  const json::value* bytes = StepOf(steps, "ByteLevel");
  if (bytes == nullptr || IsTrue(Find(bytes, "add_prefix_space"))) {
    return ValidationError("tokenizer.json: the pre_tokenizer is not known here", where);
  }
  const json::value* split = StepOf(steps, "Split");
  const std::string_view pattern = Text(Find(Find(split, "pattern"), "Regex"));
  const bool own_regex = Find(bytes, "use_regex") == nullptr || IsTrue(Find(bytes, "use_regex"));
  if (steps.size() == 1 && own_regex) return std::string("gpt-2");
  if (steps.size() == 2 && split != nullptr && !own_regex && pattern == kQwen2) return std::string("qwen2");
  if (steps.size() == 2 && split != nullptr && !own_regex && pattern == kLlama3) return std::string("llama-bpe");
  return ValidationError("tokenizer.json: the pre_tokenizer's expression is not one of Qwen2, Llama 3 and GPT-2",
                         where);
}

struct Lists {
  std::vector<std::string> tokens;
  std::vector<int64_t> types;
  std::vector<std::string> merges;  // "left right"
  std::vector<std::string> made;    // what each merge makes
};

Result<int64_t> Id(const json::value* value, const std::string& where) {
  if (value == nullptr || !value->is_int64() || value->get_int64() < 0 || value->get_int64() >= kMaxTokens) {
    return ValidationError("tokenizer.json: a token has no valid id", where);
  }
  return value->get_int64();
}

Status ReadTokens(const json::value& root, const std::string& where, Lists& lists) {
  const json::value* vocab = Find(Find(&root, "model"), "vocab");
  if (vocab == nullptr || !vocab->is_object()) return ValidationError("tokenizer.json: model.vocab is missing", where);
  std::map<int64_t, std::pair<std::string, int64_t>> by_id;
  for (const auto& [name, value] : vocab->get_object()) {
    PINTLE_ASSIGN(const int64_t id, Id(&value, where));
    if (!by_id.emplace(id, std::pair(std::string(name), kNormal)).second) {
      return ValidationError("tokenizer.json: two tokens have the id " + std::to_string(id), where);
    }
  }
  const json::value* added = Find(&root, "added_tokens");
  if (added != nullptr && added->is_array()) {
    for (const json::value& token : added->get_array()) {
      PINTLE_ASSIGN(const int64_t id, Id(Find(&token, "id"), where));
      const std::string content(Text(Find(&token, "content")));
      if (content.empty()) return ValidationError("tokenizer.json: an added token has no content", where);
      const int64_t type = content == "<unk>" ? kUnknown : IsTrue(Find(&token, "special")) ? kControl : kUserDefined;
      by_id[id] = {content, type};
    }
  }
  if (by_id.empty()) return ValidationError("tokenizer.json: there are no tokens", where);
  for (int64_t id = 0; id <= by_id.rbegin()->first; ++id) {
    const auto found = by_id.find(id);
    lists.tokens.push_back(found != by_id.end() ? found->second.first : "[unused" + std::to_string(id) + "]");
    lists.types.push_back(found != by_id.end() ? found->second.second : kUnused);
  }
  return {};
}

Status ReadMerges(const json::value& root, const std::string& where, Lists& lists) {
  const json::value* merges = Find(Find(&root, "model"), "merges");
  if (merges == nullptr || !merges->is_array())
    return ValidationError("tokenizer.json: model.merges is missing", where);
  for (const json::value& merge : merges->get_array()) {
    std::string left, right;
    if (merge.is_string()) {
      const std::string_view both = Text(&merge);
      const size_t space = both.find(' ');
      left = both.substr(0, space);
      if (space != both.npos) right = both.substr(space + 1);
    } else if (merge.is_array() && merge.get_array().size() == 2) {
      left = Text(&merge.get_array()[0]);
      right = Text(&merge.get_array()[1]);
    }
    if (left.empty() || right.empty()) {
      return ValidationError("tokenizer.json: merge " + std::to_string(lists.merges.size()) + " is malformed", where);
    }
    lists.merges.push_back(left + " " + right);
    lists.made.push_back(left + right);
  }
  return {};
}

// Whether a space is put before the text; an error if spaces are not written as U+2581.
Result<bool> SpacePrefix(const json::value& root, const std::string& where) {
  const auto normal = Steps(Find(&root, "normalizer"), "normalizers");
  const auto pre = Steps(Find(&root, "pre_tokenizer"), "pretokenizers");
  const json::value* meta = StepOf(pre, "Metaspace");
  const json::value* replace = StepOf(normal, "Replace");
  const json::value* prepend = StepOf(normal, "Prepend");
  if (meta != nullptr && normal.empty() && Text(Find(meta, "replacement")) == kSpace) {
    return Text(Find(meta, "prepend_scheme")) != "never";
  }
  const bool replaces =
      Text(Find(Find(replace, "pattern"), "String")) == " " && Text(Find(replace, "content")) == kSpace;
  const bool prepends = prepend != nullptr && Text(Find(prepend, "prepend")) == kSpace;
  if (pre.empty() && replaces && normal.size() == (prepends ? 2u : 1u)) return prepends;
  return ValidationError("tokenizer.json: spaces are not written as SentencePiece does", where);
}

// SentencePiece merges the pair whose piece scores best; the rules' order is that order.
std::vector<double> Scores(const Lists& lists) {
  constexpr double kNever = -1e9;
  std::map<std::string_view, double> ranks;
  for (size_t i = 0; i < lists.made.size(); ++i) ranks.emplace(lists.made[i], -static_cast<double>(i));
  std::vector<double> scores;
  scores.reserve(lists.tokens.size());
  for (const std::string& token : lists.tokens) {
    const auto rank = ranks.find(token);
    scores.push_back(rank != ranks.end() ? rank->second : kNever);
  }
  return scores;
}

// The name of a token in tokenizer_config.json: a text, or an object with `content`.
std::string_view NamedToken(const json::value& settings, const char* key) {
  const json::value* value = Find(&settings, key);
  return value != nullptr && value->is_object() ? Text(Find(value, "content")) : Text(value);
}

// Whether prompts begin with BOS: said outright, or by the template that the tokenizer puts around a text.
std::optional<bool> AddsBos(const json::value& root, const json::value& settings, std::string_view bos) {
  if (const json::value* said = Find(&settings, "add_bos_token"); said != nullptr && said->is_bool()) {
    return said->get_bool();
  }
  for (const json::value* step : Steps(Find(&root, "post_processor"), "processors")) {
    const json::value* single = Find(step, "single");
    if (single == nullptr || !single->is_array() || single->get_array().empty()) continue;
    return Text(Find(Find(&single->get_array()[0], "SpecialToken"), "id")) == bos;
  }
  return std::nullopt;
}

// The template for conversations: a text, or the default one of a list.
std::string_view ChatTemplateOf(const json::value& settings) {
  const json::value* found = Find(&settings, "chat_template");
  if (found == nullptr || !found->is_array()) return Text(found);
  for (const json::value& each : found->get_array()) {
    if (Text(Find(&each, "name")) == "default") return Text(Find(&each, "template"));
  }
  return {};
}

// config.json gives a number or a list of them; the first one.
int64_t ConfigToken(const json::value& config, const char* key) {
  const json::value* value = Find(&config, key);
  if (value != nullptr && value->is_array() && !value->get_array().empty()) value = &value->get_array()[0];
  return value != nullptr && value->is_int64() ? value->get_int64() : -1;
}

}  // namespace

Status AppendHubTokenizer(const HubTexts& texts, const json::value& config, const std::string& where,
                          GgufMetadata& out) {
  PINTLE_ASSIGN(const json::value root, ParseJson(texts.tokenizer, where + "/tokenizer.json"));
  json::value settings = json::object();
  if (!texts.tokenizer_config.empty()) {
    PINTLE_ASSIGN(settings, ParseJson(texts.tokenizer_config, where + "/tokenizer_config.json"));
  }
  const json::value* model = Find(&root, "model");
  const std::string_view type = Text(Find(model, "type"));
  if (model == nullptr || (!type.empty() && type != "BPE")) {
    return ValidationError("tokenizer.json: the model is not BPE", where);
  }
  Lists lists;
  PINTLE_RETURN_IF_ERROR(ReadTokens(root, where, lists));
  PINTLE_RETURN_IF_ERROR(ReadMerges(root, where, lists));
  const auto add = [&](const char* key, GgufValue value) {
    out.emplace_back(std::string("tokenizer.") + key, std::move(value));
  };
  if (IsTrue(Find(model, "byte_fallback"))) {
    PINTLE_ASSIGN(const bool prefix, SpacePrefix(root, where));
    for (size_t i = 0; i < lists.tokens.size(); ++i) {
      const std::string& token = lists.tokens[i];
      if (token.size() == 6 && token.starts_with("<0x") && token.ends_with('>')) lists.types[i] = kByte;
    }
    GgufValue scores;
    scores.kind = GgufKind::kF32;
    scores.array = true;
    scores.reals = Scores(lists);
    add("ggml.model", GgufValue::String("llama"));
    add("ggml.scores", std::move(scores));
    add("ggml.add_space_prefix", GgufValue::Bool(prefix));
  } else {
    PINTLE_ASSIGN(const std::string pre, PreName(root, where));
    for (const json::value* step : Steps(Find(&root, "normalizer"), "normalizers")) {
      if (Text(Find(step, "type")) != "NFC")
        return ValidationError("tokenizer.json: the normalizer is not known", where);
    }
    add("ggml.model", GgufValue::String("gpt2"));
    add("ggml.pre", GgufValue::String(pre));
    add("ggml.merges", GgufValue::Strings(std::move(lists.merges)));
  }
  const auto token_id = [&](std::string_view name) {
    const auto found = name.empty() ? lists.tokens.end() : std::find(lists.tokens.begin(), lists.tokens.end(), name);
    return found == lists.tokens.end() ? int64_t{-1} : static_cast<int64_t>(found - lists.tokens.begin());
  };
  std::string_view bos_name;
  for (const auto& [key, name] : {std::pair("bos_token", "ggml.bos_token_id"), {"eos_token", "ggml.eos_token_id"}}) {
    int64_t id = token_id(NamedToken(settings, key));
    if (id < 0) id = ConfigToken(config, (std::string(key) + "_id").c_str());
    if (id < 0 || id >= static_cast<int64_t>(lists.tokens.size())) continue;
    if (key == std::string_view("bos_token")) bos_name = lists.tokens[static_cast<size_t>(id)];
    add(name, GgufValue::U32(static_cast<uint32_t>(id)));
  }
  std::optional<bool> adds = AddsBos(root, settings, bos_name);
  if (!adds && Find(&config, "pintle") != nullptr) adds = true;  // our documents begin with it
  if (adds) add("ggml.add_bos_token", GgufValue::Bool(*adds));
  const std::string_view chat = texts.chat_template.empty() ? ChatTemplateOf(settings) : texts.chat_template;
  if (!chat.empty()) add("chat_template", GgufValue::String(std::string(chat)));
  add("ggml.tokens", GgufValue::Strings(std::move(lists.tokens)));
  add("ggml.token_type", GgufValue::I32s(std::move(lists.types)));
  return {};
}

}  // namespace pintle
