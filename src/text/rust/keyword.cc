// The keyword table: an open hash over first byte, last byte and length, built at compile time.
#include "text/rust/keyword.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace pintle::rust {
namespace {

constexpr std::array<std::string_view, kKeywordCount> kText = {"",
                                                               "_",
                                                               "as",
                                                               "break",
                                                               "const",
                                                               "continue",
                                                               "crate",
                                                               "else",
                                                               "enum",
                                                               "extern",
                                                               "false",
                                                               "fn",
                                                               "for",
                                                               "if",
                                                               "impl",
                                                               "in",
                                                               "let",
                                                               "loop",
                                                               "match",
                                                               "mod",
                                                               "move",
                                                               "mut",
                                                               "pub",
                                                               "ref",
                                                               "return",
                                                               "self",
                                                               "Self",
                                                               "static",
                                                               "struct",
                                                               "super",
                                                               "trait",
                                                               "true",
                                                               "type",
                                                               "unsafe",
                                                               "use",
                                                               "where",
                                                               "while",
                                                               "abstract",
                                                               "become",
                                                               "box",
                                                               "do",
                                                               "final",
                                                               "macro",
                                                               "override",
                                                               "priv",
                                                               "typeof",
                                                               "unsized",
                                                               "virtual",
                                                               "yield",
                                                               "async",
                                                               "await",
                                                               "dyn",
                                                               "try",
                                                               "gen",
                                                               "auto",
                                                               "builtin",
                                                               "contract_ensures",
                                                               "contract_requires",
                                                               "default",
                                                               "macro_rules",
                                                               "raw",
                                                               "reuse",
                                                               "safe",
                                                               "union",
                                                               "yeet"};

constexpr size_t kSlots = 256;
constexpr size_t kLongest = 17;

constexpr size_t Slot(std::string_view word) {
  const auto first = static_cast<unsigned char>(word.front());
  const auto last = static_cast<unsigned char>(word.back());
  return (first * 5U + last * 27U + word.size() * 67U) % kSlots;
}

constexpr std::array<uint8_t, kSlots> MakeTable() {
  std::array<uint8_t, kSlots> table{};
  for (size_t i = 1; i < kText.size(); ++i) {
    size_t slot = Slot(kText[i]);
    while (table[slot] != 0) slot = (slot + 1) % kSlots;
    table[slot] = static_cast<uint8_t>(i);
  }
  return table;
}

constexpr std::array<uint8_t, kSlots> kTable = MakeTable();

}  // namespace

Keyword FindKeyword(std::string_view word) {
  if (word.empty() || word.size() > kLongest) return Keyword::kNone;
  for (size_t slot = Slot(word); kTable[slot] != 0; slot = (slot + 1) % kSlots) {
    if (kText[kTable[slot]] == word) return static_cast<Keyword>(kTable[slot]);
  }
  return Keyword::kNone;
}

std::string_view KeywordText(Keyword keyword) { return kText[static_cast<size_t>(keyword)]; }

bool IsReserved(Keyword keyword, int edition) {
  if (keyword == Keyword::kNone) return false;
  if (keyword <= Keyword::kYield) return true;
  if (keyword <= Keyword::kTry) return edition >= 2018;
  if (keyword == Keyword::kGen) return edition >= 2024;
  return false;
}

}  // namespace pintle::rust
