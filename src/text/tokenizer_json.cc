// Writes and reads tokenizer.json. Only the form that our own encoding follows exactly is accepted; everything else is
// refused by name instead of being encoded wrongly.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <unordered_map>

#include "base/json.h"
#include "text/byte_alphabet.h"
#include "text/pretokenizer.h"
#include "text/tokenizer.h"

namespace pintle {
namespace json = boost::json;
namespace {

constexpr char kByteLevel[] =
    R"({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false})";

const json::value* Find(const json::value& object, std::string_view key) {
  return object.is_object() ? object.get_object().if_contains(key) : nullptr;
}

bool IsString(const json::value* value, std::string_view text) {
  return value != nullptr && value->is_string() && std::string_view(value->get_string()) == text;
}

bool IsAbsent(const json::value* value) {
  return value == nullptr || value->is_null() || (value->is_string() && value->get_string().empty()) ||
         (value->is_bool() && !value->get_bool());
}

std::string_view Text(const json::value& value) { return {value.get_string().data(), value.get_string().size()}; }

// Split by the pattern, then the byte alphabet without a pattern of its own.
Status CheckPreTokenizer(const json::value* pre_tokenizer, const std::string& where) {
  const Error unknown = ValidationError("pre_tokenizer is not Qwen2's (Split by its pattern, then ByteLevel)", where,
                                        "only tokenizers that cut text like Qwen2 can be read");
  if (pre_tokenizer == nullptr || !IsString(Find(*pre_tokenizer, "type"), "Sequence")) return unknown;
  const json::value* steps = Find(*pre_tokenizer, "pretokenizers");
  if (steps == nullptr || !steps->is_array() || steps->get_array().size() != 2) return unknown;
  const json::value &split = steps->get_array()[0], &bytes = steps->get_array()[1];
  const json::value* pattern = Find(split, "pattern");
  if (!IsString(Find(split, "type"), "Split") || pattern == nullptr ||
      !IsString(Find(*pattern, "Regex"), kQwen2Pattern) || !IsString(Find(split, "behavior"), "Isolated") ||
      !IsAbsent(Find(split, "invert"))) {
    return unknown;
  }
  const json::value* use_regex = Find(bytes, "use_regex");
  if (!IsString(Find(bytes, "type"), "ByteLevel") || !IsAbsent(Find(bytes, "add_prefix_space")) ||
      use_regex == nullptr || !IsAbsent(use_regex)) {
    return unknown;
  }
  return {};
}

Status CheckModel(const json::value* model, const std::string& where) {
  if (model == nullptr || !IsString(Find(*model, "type"), "BPE"))
    return ValidationError("model is not of type BPE", where);
  for (const char* key : {"dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
                          "byte_fallback", "ignore_merges"}) {
    if (!IsAbsent(Find(*model, key))) return ValidationError(fmt::format("model.{} is not supported", key), where);
  }
  return {};
}

Result<int32_t> Id(const json::value* value, const std::string& what, const std::string& where) {
  if (value == nullptr || !value->is_int64() || value->get_int64() < 0 || value->get_int64() > (int64_t{1} << 24)) {
    return ValidationError(fmt::format("{} has no valid id", what), where);
  }
  return static_cast<int32_t>(value->get_int64());
}

// The two halves of a merge: ["a", "b"] or "a b".
bool SplitMerge(const json::value& merge, std::string_view& left, std::string_view& right) {
  if (merge.is_array()) {
    const json::array& parts = merge.get_array();
    if (parts.size() != 2 || !parts[0].is_string() || !parts[1].is_string()) return false;
    left = Text(parts[0]);
    right = Text(parts[1]);
    return true;
  }
  if (!merge.is_string()) return false;
  const std::string_view both = Text(merge);
  const size_t space = both.find(' ');
  if (space == both.npos) return false;
  left = both.substr(0, space);
  right = both.substr(space + 1);
  return true;
}

}  // namespace

std::string Tokenizer::ToJson() const {
  std::string out = "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n  \"added_tokens\": [";
  const char* separator = "\n";
  for (const auto& [id, name] : specials_) {
    out += fmt::format(
        "{}    {{\"id\": {}, \"content\": {}, \"single_word\": false, \"lstrip\": false, \"rstrip\": false, "
        "\"normalized\": false, \"special\": true}}",
        separator, id, JsonQuote(name));
    separator = ",\n";
  }
  out += fmt::format(
      "\n  ],\n  \"normalizer\": null,\n  \"pre_tokenizer\": {{\"type\": \"Sequence\", \"pretokenizers\": [\n"
      "    {{\"type\": \"Split\", \"pattern\": {{\"Regex\": {}}}, \"behavior\": \"Isolated\", \"invert\": false}},\n"
      "    {}\n  ]}},\n  \"post_processor\": {},\n  \"decoder\": {},\n",
      JsonQuote(kQwen2Pattern), kByteLevel, kByteLevel, kByteLevel);
  out +=
      "  \"model\": {\n    \"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": null,\n"
      "    \"continuing_subword_prefix\": \"\",\n    \"end_of_word_suffix\": \"\",\n    \"fuse_unk\": false,\n"
      "    \"byte_fallback\": false,\n    \"ignore_merges\": false,\n    \"vocab\": {";
  separator = "\n";
  for (int32_t id = 0; id < vocab_size(); ++id) {
    if (IsSpecial(id)) continue;
    out += fmt::format("{}      {}: {}", separator, JsonQuote(PrintableToken(id)), id);
    separator = ",\n";
  }
  out += "\n    },\n    \"merges\": [";
  separator = "\n";
  for (const MergeRule& merge : merges_) {
    out += fmt::format("{}      [{}, {}]", separator, JsonQuote(PrintableToken(merge.left)),
                       JsonQuote(PrintableToken(merge.right)));
    separator = ",\n";
  }
  return out + "\n    ]\n  }\n}\n";
}

Result<Tokenizer> Tokenizer::FromJson(std::string_view text, const std::string& where) {
  PINTLE_ASSIGN(const json::value root, ParseJson(text, where));
  if (const json::value* normalizer = Find(root, "normalizer"); !IsAbsent(normalizer)) {
    return ValidationError("a normalizer is set; text would not come back exactly", where);
  }
  PINTLE_RETURN_IF_ERROR(CheckPreTokenizer(Find(root, "pre_tokenizer"), where));
  const json::value* model = Find(root, "model");
  PINTLE_RETURN_IF_ERROR(CheckModel(model, where));
  const json::value *vocab = Find(*model, "vocab"), *merges = Find(*model, "merges"),
                    *added = Find(root, "added_tokens");
  if (vocab == nullptr || !vocab->is_object() || merges == nullptr || !merges->is_array()) {
    return ValidationError("model.vocab or model.merges is missing", where);
  }

  Tokenizer tokenizer;
  std::unordered_map<int32_t, std::string> by_id;
  if (added != nullptr) {
    if (!added->is_array()) return ValidationError("added_tokens is not a list", where);
    for (const json::value& token : added->get_array()) {
      const json::value* content = Find(token, "content");
      if (content == nullptr || !content->is_string()) return ValidationError("an added token has no content", where);
      PINTLE_ASSIGN(const int32_t id, Id(Find(token, "id"), "an added token", where));
      if (tokenizer.SpecialId(Text(*content)) >= 0 || !by_id.emplace(id, Text(*content)).second) {
        return ValidationError(fmt::format("added token {} is given twice", id), where);
      }
      tokenizer.specials_.emplace_back(id, Text(*content));
    }
  }
  std::sort(tokenizer.specials_.begin(), tokenizer.specials_.end());
  std::unordered_map<std::string, int32_t> ids;
  for (const auto& [key, value] : vocab->get_object()) {
    PINTLE_ASSIGN(const int32_t id, Id(&value, fmt::format("token {}", JsonQuote({key.data(), key.size()})), where));
    if (const auto special = by_id.find(id); special != by_id.end() && special->second == std::string_view(key))
      continue;
    const std::optional<std::string> bytes = FromPrintable({key.data(), key.size()});
    if (!bytes || bytes->empty())
      return ValidationError(fmt::format("token {} is not in the byte alphabet", id), where);
    if (!by_id.emplace(id, *bytes).second) return ValidationError(fmt::format("two tokens have the id {}", id), where);
    if (!ids.emplace(*bytes, id).second) return ValidationError(fmt::format("token {} is given twice", id), where);
  }
  tokenizer.tokens_.resize(by_id.size());
  for (auto& [id, bytes] : by_id) {
    if (static_cast<size_t>(id) >= by_id.size()) {
      return ValidationError(fmt::format("ids are not dense: id {} among {} tokens", id, by_id.size()), where);
    }
    tokenizer.tokens_[static_cast<size_t>(id)] = std::move(bytes);
  }
  tokenizer.merges_.reserve(merges->get_array().size());
  for (const json::value& merge : merges->get_array()) {
    std::string_view left, right;
    std::optional<std::string> left_bytes, right_bytes;
    if (SplitMerge(merge, left, right)) {
      left_bytes = FromPrintable(left);
      right_bytes = FromPrintable(right);
    }
    if (!left_bytes || !right_bytes) {
      return ValidationError(fmt::format("merge {} is malformed", tokenizer.merges_.size()), where);
    }
    const auto left_id = ids.find(*left_bytes), right_id = ids.find(*right_bytes),
               result = ids.find(*left_bytes + *right_bytes);
    if (left_id == ids.end() || right_id == ids.end() || result == ids.end()) {
      return ValidationError(
          fmt::format("merge {} names a token that is not in the vocabulary", tokenizer.merges_.size()), where);
    }
    tokenizer.merges_.push_back({left_id->second, right_id->second, result->second});
  }
  PINTLE_RETURN_IF_ERROR(tokenizer.Finish(where));
  return tokenizer;
}

}  // namespace pintle
