#include "text/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <queue>
#include <unordered_map>

#include "base/check.h"
#include "base/file.h"
#include "base/hash.h"
#include "text/byte_alphabet.h"
#include "text/pretokenizer.h"

namespace pintle {
namespace {

// Pieces up to this many bytes are merged by scanning all pairs for the lowest rank; longer ones by lists of places.
constexpr size_t kShortPiece = 96;
constexpr int32_t kNoRank = INT32_MAX;

uint64_t PairKey(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

size_t PairSlot(uint64_t pair, size_t slots) {
  const uint64_t mixed = pair * 0x9E3779B97F4A7C15u;
  return static_cast<size_t>((mixed ^ mixed >> 32) & (slots - 1));
}

}  // namespace

std::vector<std::string> SpecialTokenNames() {
  using namespace special;
  std::vector<std::string> names;
  for (const std::string_view name :
       {kEndOfText, kFimPrefix, kFimMiddle, kFimSuffix, kFimPad, kRepoName, kFileSep, kPlan, kFacts, kErr, kFix}) {
    names.emplace_back(name);
  }
  for (int i = 0; static_cast<int>(names.size()) < kCount; ++i) names.push_back(fmt::format("<|reserved_{}|>", i));
  return names;
}

Result<Tokenizer> Tokenizer::FromMerges(const std::vector<std::pair<int32_t, int32_t>>& merges,
                                        const std::vector<std::string>& specials) {
  Tokenizer tokenizer;
  std::unordered_map<std::string, int32_t> ids;
  const auto add = [&](std::string bytes) {
    const auto [place, fresh] = ids.emplace(std::move(bytes), tokenizer.vocab_size());
    if (fresh) tokenizer.tokens_.push_back(place->first);
    return place->second;
  };
  for (int byte = 0; byte < 256; ++byte) add(std::string(1, static_cast<char>(byte)));
  for (const auto& [left, right] : merges) {
    if (left < 0 || right < 0 || left >= tokenizer.vocab_size() || right >= tokenizer.vocab_size()) {
      return ValidationError(fmt::format("merge {} uses a token that is not made yet", tokenizer.merges_.size()));
    }
    const int32_t result = add(tokenizer.TokenBytes(left) + tokenizer.TokenBytes(right));
    tokenizer.merges_.push_back({left, right, result});
  }
  for (const std::string& name : specials) {
    tokenizer.specials_.emplace_back(tokenizer.vocab_size(), name);
    tokenizer.tokens_.push_back(name);
  }
  PINTLE_RETURN_IF_ERROR(tokenizer.Finish("merges"));
  return tokenizer;
}

Result<Tokenizer> Tokenizer::FromMergesText(std::string_view merges, const std::vector<std::string>& specials,
                                            const std::string& where) {
  Tokenizer tokenizer;
  std::unordered_map<std::string, int32_t> ids;
  const auto add = [&](const std::string& bytes) {
    ids.emplace(bytes, tokenizer.vocab_size());
    tokenizer.tokens_.push_back(bytes);
  };
  // GPT-2 lists the visible bytes first; those stand for themselves.
  for (const bool visible : {true, false}) {
    for (int byte = 0; byte < 256; ++byte) {
      const auto b = static_cast<uint8_t>(byte);
      if ((PrintableCodepoint(b) == b) == visible) add(std::string(1, static_cast<char>(b)));
    }
  }
  size_t line_number = 0;
  while (!merges.empty()) {
    const size_t end = std::min(merges.find('\n'), merges.size());
    const std::string_view line = merges.substr(0, end);
    merges.remove_prefix(std::min(end + 1, merges.size()));
    ++line_number;
    if (line.empty() || line.starts_with("#version")) continue;
    const size_t space = line.find(' ');
    const auto left = FromPrintable(line.substr(0, space));
    const auto right = space == line.npos ? std::nullopt : FromPrintable(line.substr(space + 1));
    const auto left_id = left ? ids.find(*left) : ids.end(), right_id = right ? ids.find(*right) : ids.end();
    if (left_id == ids.end() || right_id == ids.end() || ids.contains(*left + *right)) {
      return ValidationError("not a merge of two earlier tokens into a new one",
                             fmt::format("{}:{}", where, line_number));
    }
    tokenizer.merges_.push_back({left_id->second, right_id->second, tokenizer.vocab_size()});
    add(*left + *right);
  }
  for (const std::string& name : specials) {
    tokenizer.specials_.emplace_back(tokenizer.vocab_size(), name);
    tokenizer.tokens_.push_back(name);
  }
  PINTLE_RETURN_IF_ERROR(tokenizer.Finish(where));
  return tokenizer;
}

Result<Tokenizer> Tokenizer::Load(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::filesystem::path file = std::filesystem::is_directory(path, ignored) ? path / "tokenizer.json" : path;
  PINTLE_ASSIGN(const std::string json, ReadFile(file, uint64_t{256} << 20));
  return FromJson(json, file.string());
}

// Derives what the look-ups need from tokens_, merges_ and specials_.
Status Tokenizer::Index(const std::string& where) {
  special_.assign(tokens_.size(), 0);
  for (const auto& [id, name] : specials_) {
    if (name.empty()) return ValidationError("a special token has no name", where);
    special_[static_cast<size_t>(id)] = 1;
  }
  byte_ids_.fill(-1);
  for (int32_t id = 0; id < vocab_size(); ++id) {
    if (!IsSpecial(id) && TokenBytes(id).size() == 1) byte_ids_[static_cast<uint8_t>(TokenBytes(id)[0])] = id;
  }
  for (const int32_t id : byte_ids_) {
    if (id < 0) return ValidationError("not every byte is a token, so not every text could be encoded", where);
  }
  size_t slots = 16;
  while (slots < merges_.size() * 2) slots *= 2;
  rules_.assign(slots, Rule{});
  for (size_t rank = 0; rank < merges_.size(); ++rank) {
    const uint64_t key = PairKey(merges_[rank].left, merges_[rank].right);
    size_t slot = PairSlot(key, slots);
    while (rules_[slot].pair != ~uint64_t{0} && rules_[slot].pair != key) slot = (slot + 1) & (slots - 1);
    if (rules_[slot].pair == key) return ValidationError(fmt::format("merge {} is given twice", rank), where);
    rules_[slot] = {key, static_cast<int32_t>(rank), merges_[rank].result};
  }
  end_of_text_ = SpecialId(special::kEndOfText);
  return {};
}

Status Tokenizer::Finish(const std::string& where) {
  PINTLE_RETURN_IF_ERROR(Index(where));
  hash_ = Sha256Hex(ToJson());
  return {};
}

Result<Tokenizer> Tokenizer::FromTokens(std::vector<std::string> tokens, std::vector<MergeRule> merges,
                                        std::vector<std::pair<int32_t, std::string>> specials,
                                        const std::string& where) {
  Tokenizer tokenizer;
  tokenizer.tokens_ = std::move(tokens);
  tokenizer.merges_ = std::move(merges);
  tokenizer.specials_ = std::move(specials);
  PINTLE_RETURN_IF_ERROR(tokenizer.Index(where));
  return tokenizer;
}

const Tokenizer::Rule* Tokenizer::FindRule(int32_t left, int32_t right) const {
  const uint64_t key = PairKey(left, right);
  for (size_t slot = PairSlot(key, rules_.size());; slot = (slot + 1) & (rules_.size() - 1)) {
    if (rules_[slot].pair == key) return &rules_[slot];
    if (rules_[slot].pair == ~uint64_t{0}) return nullptr;
  }
}

int32_t Tokenizer::SpecialId(std::string_view name) const {
  for (const auto& [id, special_name] : specials_) {
    if (special_name == name) return id;
  }
  return -1;
}

std::string Tokenizer::PrintableToken(int32_t id) const {
  return IsSpecial(id) ? TokenBytes(id) : ToPrintable(TokenBytes(id));
}

void Tokenizer::EncodePiece(std::string_view piece, std::vector<int32_t>& ids) const {
  if (piece.size() <= kShortPiece) {
    EncodeShortPiece(piece, ids);
  } else {
    EncodeLongPiece(piece, ids);
  }
}

void Tokenizer::EncodeShortPiece(std::string_view piece, std::vector<int32_t>& ids) const {
  struct Symbol {
    int32_t id, rank, result;  // rank and result of the merge with the symbol behind it
  };
  Symbol symbols[kShortPiece];
  size_t count = piece.size();
  const auto look_up = [&](size_t i) {
    const Rule* rule = i + 1 < count ? FindRule(symbols[i].id, symbols[i + 1].id) : nullptr;
    symbols[i].rank = rule != nullptr ? rule->rank : kNoRank;
    symbols[i].result = rule != nullptr ? rule->result : 0;
  };
  for (size_t i = 0; i < count; ++i) symbols[i].id = ByteId(static_cast<uint8_t>(piece[i]));
  for (size_t i = 0; i < count; ++i) look_up(i);
  while (true) {
    size_t best = 0;
    int32_t best_rank = kNoRank;
    for (size_t i = 0; i < count; ++i) {
      if (symbols[i].rank < best_rank) best_rank = symbols[best = i].rank;
    }
    if (best_rank == kNoRank) break;
    symbols[best].id = symbols[best].result;
    std::copy(symbols + best + 2, symbols + count, symbols + best + 1);
    --count;
    look_up(best);
    if (best > 0) look_up(best - 1);
  }
  for (size_t i = 0; i < count; ++i) ids.push_back(symbols[i].id);
}

// The lowest rank first, and of one rank the leftmost place. Each rank has a list of places, which mostly grows in
// order, so that a long piece is walked through in memory order instead of hopping about in one large heap.
void Tokenizer::EncodeLongPiece(std::string_view piece, std::vector<int32_t>& ids) const {
  PINTLE_CHECK(piece.size() < UINT32_MAX, "a piece of 4 GiB");
  struct Symbol {
    int32_t id, rank, result;  // rank and result of the merge with the symbol behind it
    uint32_t previous, next;   // size() at the ends
  };
  struct Places {
    std::vector<uint32_t> list;
    size_t done = 0;
    bool sorted = true;
  };
  const auto size = static_cast<uint32_t>(piece.size());
  std::vector<Symbol> symbols(size);
  std::unordered_map<int32_t, Places> places;
  std::priority_queue<int32_t, std::vector<int32_t>, std::greater<>> ranks;  // those with places to do
  const auto look_up = [&](uint32_t i) {
    Symbol& symbol = symbols[i];
    const Rule* rule = symbol.next < size ? FindRule(symbol.id, symbols[symbol.next].id) : nullptr;
    symbol.rank = rule != nullptr ? rule->rank : kNoRank;
    if (rule == nullptr) return;
    symbol.result = rule->result;
    Places& of_rank = places[rule->rank];
    if (of_rank.done == of_rank.list.size()) {
      of_rank = {};
      ranks.push(rule->rank);
    }
    of_rank.sorted = of_rank.sorted && (of_rank.list.empty() || of_rank.list.back() <= i);
    of_rank.list.push_back(i);
  };
  for (uint32_t i = 0; i < size; ++i) {
    symbols[i] = {ByteId(static_cast<uint8_t>(piece[i])), kNoRank, 0, i == 0 ? size : i - 1, i + 1};
  }
  for (uint32_t i = 0; i < size; ++i) look_up(i);
  while (!ranks.empty()) {
    const int32_t rank = ranks.top();
    Places& of_rank = places.find(rank)->second;  // stays where it is while other ranks are added
    if (!of_rank.sorted) {
      std::sort(of_rank.list.begin() + static_cast<std::ptrdiff_t>(of_rank.done), of_rank.list.end());
      of_rank.sorted = true;
    }
    if (of_rank.done == of_rank.list.size()) {
      ranks.pop();
      continue;
    }
    const uint32_t at = of_rank.list[of_rank.done++];
    Symbol& symbol = symbols[at];
    if (symbol.rank != rank) continue;  // merged away, or into another pair
    Symbol& gone = symbols[symbol.next];
    gone.rank = kNoRank;
    symbol.id = symbol.result;
    symbol.next = gone.next;
    if (symbol.next < size) symbols[symbol.next].previous = at;
    if (symbol.previous < size) look_up(symbol.previous);
    look_up(at);
  }
  for (uint32_t i = 0; i < size; i = symbols[i].next) ids.push_back(symbols[i].id);
}

void Tokenizer::Encode(std::string_view text, std::vector<int32_t>& ids) const {
  ForEachPiece(text, [&](size_t begin, size_t end) { EncodePiece(text.substr(begin, end - begin), ids); });
}

std::vector<int32_t> Tokenizer::Encode(std::string_view text) const {
  std::vector<int32_t> ids;
  Encode(text, ids);
  return ids;
}

std::vector<int32_t> Tokenizer::EncodeWithSpecials(std::string_view text) const {
  std::vector<int32_t> ids;
  size_t plain = 0;  // where the text that is not encoded yet begins
  for (size_t at = 0; at < text.size();) {
    int32_t found = -1;
    size_t length = 0;
    for (const auto& [id, name] : specials_) {
      if (name[0] == text[at] && name.size() > length && text.substr(at, name.size()) == name) {
        found = id;
        length = name.size();
      }
    }
    if (found < 0) {
      ++at;
      continue;
    }
    Encode(text.substr(plain, at - plain), ids);
    ids.push_back(found);
    plain = at += length;
  }
  Encode(text.substr(plain), ids);
  return ids;
}

std::string Tokenizer::Decode(const int32_t* ids, size_t count, bool skip_specials) const {
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    if (ids[i] < 0 || ids[i] >= vocab_size() || (skip_specials && IsSpecial(ids[i]))) continue;
    text += TokenBytes(ids[i]);
  }
  return text;
}

}  // namespace pintle
