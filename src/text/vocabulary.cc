#include "text/vocabulary.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <queue>
#include <unordered_map>
#include <utility>

#include "formats/gguf_metadata.h"
#include "text/byte_alphabet.h"
#include "text/pretokenizer.h"
#include "text/tokenizer.h"

namespace pintle {
namespace {

// tokenizer.ggml.token_type
enum TokenType : int64_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

// Control tokens that are part of what an answer says.
bool MarksPart(std::string_view name) {
  constexpr std::string_view kMarks[] = {"<think>",      "</think>",     "<tool_call>",
                                         "</tool_call>", "[TOOL_CALLS]", "<|python_tag|>"};
  return std::find(std::begin(kMarks), std::end(kMarks), name) != std::end(kMarks);
}

// The three lists that every vocabulary has.
struct TokenLists {
  const std::vector<std::string>* tokens;
  std::vector<int64_t> types;  // kNormal where the file has none
  const std::vector<double>* scores;
};

Result<TokenLists> ReadLists(const GgufKeys& keys) {
  TokenLists lists{};
  PINTLE_ASSIGN(lists.tokens, keys.Strings("tokenizer.ggml.tokens"));
  if (lists.tokens == nullptr || lists.tokens->empty() || lists.tokens->size() > (size_t{1} << 24)) {
    return keys.Bad("tokenizer.ggml.tokens", "is missing or empty");
  }
  PINTLE_ASSIGN(const std::vector<int64_t>* types, keys.Integers("tokenizer.ggml.token_type"));
  PINTLE_ASSIGN(lists.scores, keys.Reals("tokenizer.ggml.scores"));
  const size_t count = lists.tokens->size();
  if (types != nullptr && types->size() != count) return keys.Bad("tokenizer.ggml.token_type", "has another length");
  if (lists.scores != nullptr && lists.scores->size() != count) {
    return keys.Bad("tokenizer.ggml.scores", "has another length");
  }
  lists.types = types != nullptr ? *types : std::vector<int64_t>(count, kNormal);
  return lists;
}

class BpeVocabulary final : public Vocabulary {
 public:
  static Result<std::unique_ptr<BpeVocabulary>> Create(const GgufKeys& keys, const TokenLists& lists) {
    PINTLE_ASSIGN(const std::string pre, keys.Text("tokenizer.ggml.pre", "gpt-2"));
    auto result = std::unique_ptr<BpeVocabulary>(new BpeVocabulary());
    if (pre == "qwen2") {
      result->pre_ = PreTokenizer::kQwen2;
    } else if (pre == "llama-bpe" || pre == "llama3" || pre == "llama-v3") {
      result->pre_ = PreTokenizer::kLlama3;
    } else if (pre == "gpt-2") {
      result->pre_ = PreTokenizer::kGpt2;
    } else {
      return keys.Bad("tokenizer.ggml.pre", "is '" + pre + "'; known are qwen2, llama-bpe and gpt-2");
    }
    result->kind_ = "gpt2/" + pre;
    const bool whole_pieces = result->pre_ == PreTokenizer::kLlama3;
    std::vector<std::pair<int32_t, std::string>> specials;
    std::unordered_map<std::string_view, int32_t> ids;
    std::vector<std::string> tokens(lists.tokens->size());
    for (size_t i = 0; i < tokens.size(); ++i) {
      const std::string& name = (*lists.tokens)[i];
      const auto id = static_cast<int32_t>(i);
      if (lists.types[i] != kNormal) {
        tokens[i] = name;
        specials.emplace_back(id, name.empty() ? "[" + std::to_string(i) + "]" : name);
        if (lists.types[i] != kUnused) result->controls_.emplace_back(name, id);
        const bool has_text = lists.types[i] == kUserDefined || (lists.types[i] == kControl && MarksPart(name));
        result->bytes_.push_back(has_text ? name : std::string());
        continue;
      }
      std::optional<std::string> bytes = FromPrintable(name);
      if (!bytes || bytes->empty())
        return keys.Bad("tokenizer.ggml.tokens", "has a token that is not in the byte alphabet: " + std::to_string(i));
      ids.emplace(name, id);
      tokens[i] = *bytes;
      if (whole_pieces) result->whole_.emplace(*bytes, id);
      result->bytes_.push_back(std::move(*bytes));
    }
    PINTLE_ASSIGN(const std::vector<std::string>* merges, keys.Strings("tokenizer.ggml.merges"));
    if (merges == nullptr) return keys.Bad("tokenizer.ggml.merges", "is missing");
    std::vector<MergeRule> rules;
    rules.reserve(merges->size());
    for (const std::string& merge : *merges) {
      const size_t space = merge.find(' ', 1);
      const auto left = ids.find(std::string_view(merge).substr(0, space));
      const auto right = space == std::string::npos ? ids.end() : ids.find(std::string_view(merge).substr(space + 1));
      std::string both = merge;
      if (space != std::string::npos) both.erase(space, 1);
      const auto made = ids.find(both);
      if (left == ids.end() || right == ids.end() || made == ids.end()) {
        return keys.Bad("tokenizer.ggml.merges",
                        "has a merge of unknown tokens, number " + std::to_string(rules.size()));
      }
      rules.push_back({left->second, right->second, made->second});
    }
    PINTLE_ASSIGN(Tokenizer tokenizer,
                  Tokenizer::FromTokens(std::move(tokens), std::move(rules), std::move(specials), keys.where()));
    result->tokenizer_ = std::make_unique<const Tokenizer>(std::move(tokenizer));
    return result;
  }

  void Encode(std::string_view text, std::vector<int32_t>& ids) const override {
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = NextPieceEnd(text, begin, pre_);
      const std::string_view piece = text.substr(begin, end - begin);
      begin = end;
      if (!whole_.empty()) {
        // Llama 3: a piece that is a token stays whole, whatever the merges would make of it.
        if (const auto found = whole_.find(std::string(piece)); found != whole_.end()) {
          ids.push_back(found->second);
          continue;
        }
      }
      tokenizer_->EncodePiece(piece, ids);
    }
  }

 private:
  BpeVocabulary() = default;
  std::unique_ptr<const Tokenizer> tokenizer_;
  std::unordered_map<std::string, int32_t> whole_;
  PreTokenizer pre_ = PreTokenizer::kQwen2;
};

constexpr std::string_view kSpmSpace = "\xe2\x96\x81";  // U+2581 stands for a space

class SpmVocabulary final : public Vocabulary {
 public:
  static Result<std::unique_ptr<SpmVocabulary>> Create(const GgufKeys& keys, const TokenLists& lists) {
    auto result = std::unique_ptr<SpmVocabulary>(new SpmVocabulary());
    result->kind_ = "llama";
    if (lists.scores == nullptr) return keys.Bad("tokenizer.ggml.scores", "is missing");
    PINTLE_ASSIGN(result->space_prefix_, keys.Bool("tokenizer.ggml.add_space_prefix", true));
    result->byte_ids_.assign(256, -1);
    for (size_t i = 0; i < lists.tokens->size(); ++i) {
      const std::string& name = (*lists.tokens)[i];
      const auto id = static_cast<int32_t>(i);
      std::string bytes;
      if (lists.types[i] == kByte) {
        const int value = name.size() == 6 ? HexByte(name) : -1;
        if (value < 0)
          return keys.Bad("tokenizer.ggml.tokens", "has a byte token that is not <0xNN>: " + std::to_string(i));
        result->byte_ids_[static_cast<size_t>(value)] = id;
        bytes = std::string(1, static_cast<char>(value));
      } else if (lists.types[i] == kNormal || lists.types[i] == kUserDefined) {
        bytes = name;
        for (size_t at = 0; (at = bytes.find(kSpmSpace, at)) != std::string::npos; ++at) bytes.replace(at, 3, " ");
      } else if (lists.types[i] == kControl && MarksPart(name)) {
        bytes = name;
      }
      if (lists.types[i] == kNormal) {
        if (!((*lists.scores)[i] > -1e30) || !((*lists.scores)[i] < 1e30)) {
          return keys.Bad("tokenizer.ggml.scores", "has a score that is no number: " + std::to_string(i));
        }
        result->pieces_.emplace(name, Piece{id, static_cast<float>((*lists.scores)[i])});
      } else if (lists.types[i] != kByte && lists.types[i] != kUnused) {
        result->controls_.emplace_back(name, id);
      }
      result->bytes_.push_back(std::move(bytes));
    }
    if (std::find(result->byte_ids_.begin(), result->byte_ids_.end(), -1) != result->byte_ids_.end()) {
      return keys.Bad("tokenizer.ggml.tokens", "has no token for some byte, so not every text could be encoded");
    }
    return result;
  }

  // The adjacent pair with the highest score is merged, the leftmost of equals, while there is one.
  void Encode(std::string_view text, std::vector<int32_t>& ids) const override {
    if (text.empty()) return;
    std::string spelled = space_prefix_ ? std::string(kSpmSpace) : std::string();
    for (const char c : text) {
      if (c == ' ') {
        spelled += kSpmSpace;
      } else {
        spelled += c;
      }
    }
    std::vector<Symbol> symbols;
    for (size_t at = 0; at < spelled.size();) {
      const size_t size = std::max<size_t>(Utf8CharacterLength(spelled, at), 1);
      const auto index = static_cast<int64_t>(symbols.size());
      symbols.push_back({at, size, index - 1, index + 1});
      at += size;
    }
    symbols.back().next = -1;
    std::priority_queue<Merge> merges;
    const auto look = [&](int64_t left) {
      if (left < 0) return;
      const int64_t right = symbols[static_cast<size_t>(left)].next;
      if (right < 0) return;
      const Symbol &a = symbols[static_cast<size_t>(left)], &b = symbols[static_cast<size_t>(right)];
      const auto found = pieces_.find(spelled.substr(a.at, a.size + b.size));
      if (found != pieces_.end()) merges.push({found->second.score, left, right, a.size + b.size});
    };
    for (size_t i = 0; i < symbols.size(); ++i) look(static_cast<int64_t>(i));
    while (!merges.empty()) {
      const Merge merge = merges.top();
      merges.pop();
      Symbol &left = symbols[static_cast<size_t>(merge.left)], &right = symbols[static_cast<size_t>(merge.right)];
      if (left.size == 0 || right.size == 0 || left.size + right.size != merge.size) continue;  // merged otherwise
      left.size += right.size;
      right.size = 0;
      left.next = right.next;
      if (left.next >= 0) symbols[static_cast<size_t>(left.next)].previous = merge.left;
      look(left.previous);
      look(merge.left);
    }
    for (int64_t i = 0; i >= 0; i = symbols[static_cast<size_t>(i)].next) {
      const Symbol& symbol = symbols[static_cast<size_t>(i)];
      const std::string piece = spelled.substr(symbol.at, symbol.size);
      if (const auto found = pieces_.find(piece); found != pieces_.end()) {
        ids.push_back(found->second.id);
      } else {
        for (const char c : piece) ids.push_back(byte_ids_[static_cast<uint8_t>(c)]);
      }
    }
  }

 private:
  SpmVocabulary() = default;
  struct Piece {
    int32_t id;
    float score;
  };
  struct Symbol {
    size_t at, size;
    int64_t previous, next;
  };
  struct Merge {
    float score;
    int64_t left, right;
    size_t size;
    bool operator<(const Merge& other) const { return score != other.score ? score < other.score : left > other.left; }
  };
  // <0xNN>, or -1.
  static int HexByte(std::string_view name) {
    const auto digit = [](char c) {
      return c >= '0' && c <= '9'   ? c - '0'
             : c >= 'A' && c <= 'F' ? c - 'A' + 10
             : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                    : -1;
    };
    if (!name.starts_with("<0x") || name[5] != '>' || digit(name[3]) < 0 || digit(name[4]) < 0) return -1;
    return 16 * digit(name[3]) + digit(name[4]);
  }

  std::unordered_map<std::string, Piece> pieces_;
  std::vector<int32_t> byte_ids_;
  bool space_prefix_ = true;
};

}  // namespace

int32_t Vocabulary::Control(std::string_view name) const {
  for (const auto& [known, id] : controls_) {
    if (known == name) return id;
  }
  return -1;
}

Status Vocabulary::ReadSpecials(const GgufHeader& header, const std::string& where) {
  const GgufKeys keys(header, where);
  const auto token = [&](const char* name) {
    return keys.Integer(std::string("tokenizer.ggml.") + name, 0, size() - 1, -1);
  };
  end_.assign(bytes_.size(), 0);
  const auto ends = [&](int64_t id) {
    if (id >= 0) end_[static_cast<size_t>(id)] = 1;
  };
  PINTLE_ASSIGN(const int64_t bos, token("bos_token_id"));
  bos_ = static_cast<int32_t>(bos);
  ends(bos);
  for (const char* name : {"eos_token_id", "eot_token_id", "eom_token_id"}) {
    PINTLE_ASSIGN(const int64_t id, token(name));
    ends(id);
    if (name == std::string_view("eos_token_id")) eos_ = static_cast<int32_t>(id);
  }
  for (const char* name : {"<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "</s>"}) {
    ends(Control(name));
  }
  PINTLE_ASSIGN(adds_bos_, keys.Bool("tokenizer.ggml.add_bos_token", kind_ == "llama" || kind_ == "gpt2/llama-bpe"));
  adds_bos_ = adds_bos_ && bos_ >= 0;
  return {};
}

Result<std::unique_ptr<Vocabulary>> Vocabulary::FromGguf(const GgufHeader& header, const std::string& where) {
  const GgufKeys keys(header, where);
  PINTLE_ASSIGN(const std::string model, keys.Text("tokenizer.ggml.model", ""));
  if (model != "gpt2" && model != "llama") {
    return keys.Bad("tokenizer.ggml.model", "is '" + model + "'; known are gpt2 and llama");
  }
  PINTLE_ASSIGN(const TokenLists lists, ReadLists(keys));
  std::unique_ptr<Vocabulary> result;
  if (model == "gpt2") {
    PINTLE_ASSIGN(result, BpeVocabulary::Create(keys, lists));
  } else {
    PINTLE_ASSIGN(result, SpmVocabulary::Create(keys, lists));
  }
  PINTLE_RETURN_IF_ERROR(result->ReadSpecials(header, where));
  return result;
}

}  // namespace pintle
