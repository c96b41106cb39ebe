#include "text/pretokenizer.h"

#include <algorithm>
#include <array>

#include "text/unicode_tables.h"

namespace pintle {
namespace {

// What the expression distinguishes: \p{L}, \p{N}, the newlines \r and \n, the rest of \s, anything else.
enum Class : uint8_t { kOther, kLetter, kNumber, kSpace, kNewline, kNotAscii };

constexpr std::array<uint8_t, 256> MakeByteClasses() {
  std::array<uint8_t, 256> classes{};
  for (int c = 0; c < 256; ++c) {
    uint8_t& kind = classes[static_cast<size_t>(c)];
    kind = kOther;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) kind = kLetter;
    if (c >= '0' && c <= '9') kind = kNumber;
    if (c == ' ' || c == '\t' || c == '\v' || c == '\f') kind = kSpace;
    if (c == '\r' || c == '\n') kind = kNewline;
    if (c >= 128) kind = kNotAscii;
  }
  return classes;
}
constexpr std::array<uint8_t, 256> kByteClasses = MakeByteClasses();

bool InRanges(const CodepointRange* ranges, size_t count, uint32_t codepoint) {
  const CodepointRange* range = std::upper_bound(
      ranges, ranges + count, codepoint, [](uint32_t value, const CodepointRange& r) { return value < r.first; });
  return range != ranges && codepoint <= (range - 1)->last;
}

// White_Space of Unicode 15.0.0 beyond ASCII.
bool IsWideSpace(uint32_t c) {
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000;
}

// Decodes the character at text[at]; 0 for an invalid byte (overlong forms, surrogates and beyond 10FFFF included).
size_t DecodeUtf8(std::string_view text, size_t at, uint32_t& codepoint) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[at + i]); };
  const size_t left = text.size() - at;
  const auto continues = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const uint8_t lead = byte(0);
  if (lead < 0x80) {
    codepoint = lead;
    return 1;
  }
  if (lead >= 0xC2 && lead < 0xE0 && left >= 2 && continues(1)) {
    codepoint = static_cast<uint32_t>((lead & 0x1F) << 6 | (byte(1) & 0x3F));
    return 2;
  }
  if ((lead & 0xF0) == 0xE0 && left >= 3 && continues(1) && continues(2)) {
    codepoint = static_cast<uint32_t>((lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F));
    return codepoint >= 0x800 && (codepoint < 0xD800 || codepoint > 0xDFFF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead < 0xF5 && left >= 4 && continues(1) && continues(2) && continues(3)) {
    codepoint =
        static_cast<uint32_t>((lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F));
    return codepoint >= 0x10000 && codepoint <= 0x10FFFF ? 4 : 0;
  }
  return 0;
}

struct Character {
  uint8_t kind;
  uint8_t size;
};

Character WideCharacter(std::string_view text, size_t at) {
  uint32_t codepoint = 0;
  const size_t size = DecodeUtf8(text, at, codepoint);
  if (size == 0) return {kOther, 1};
  const auto bytes = static_cast<uint8_t>(size);
  if (InRanges(kLetterRanges, kLetterRangesCount, codepoint)) return {kLetter, bytes};
  if (InRanges(kNumberRanges, kNumberRangesCount, codepoint)) return {kNumber, bytes};
  return {IsWideSpace(codepoint) ? kSpace : kOther, bytes};
}

inline Character CharacterAt(std::string_view text, size_t at) {
  const uint8_t kind = kByteClasses[static_cast<uint8_t>(text[at])];
  if (kind != kNotAscii) return {kind, 1};
  return WideCharacter(text, at);
}

// The end of the run of characters of class `kind` from `at` on.
inline size_t RunEnd(std::string_view text, size_t at, uint8_t kind) {
  while (at < text.size()) {
    const Character next = CharacterAt(text, at);
    if (next.kind != kind) break;
    at += next.size;
  }
  return at;
}

// (?i:'s|'t|'re|'ve|'m|'ll|'d) behind the apostrophe at text[at]: its length with the apostrophe, or 0. Folding case by
// Unicode, 's' is also U+017F.
size_t ContractionLength(std::string_view text, size_t at) {
  const auto lower = [&](size_t i) {
    return at + i < text.size() ? static_cast<char>(static_cast<uint8_t>(text[at + i]) | 0x20) : '\0';
  };
  const char first = lower(1), second = lower(2);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  if ((first == 'r' || first == 'v') && second == 'e') return 3;
  if (first == 'l' && second == 'l') return 3;
  if (text.substr(at + 1, 2) == "\u017F") return 3;
  return 0;
}

// White space from `begin` on: \s*[\r\n]+ | \s+(?!\S) | \s+.
size_t WhitespaceEnd(std::string_view text, size_t begin) {
  size_t after_newline = begin, last = begin, at = begin;
  while (at < text.size()) {
    const Character next = CharacterAt(text, at);
    if (next.kind != kSpace && next.kind != kNewline) break;
    last = at;
    at += next.size;
    if (next.kind == kNewline) after_newline = at;
  }
  if (after_newline != begin) return after_newline;
  // The look-ahead leaves the last space of a run to the word behind it, unless it is the only one.
  return at == text.size() || last == begin ? at : last;
}

// The expression of GPT-2: no case folding, newlines are white space like any other.
size_t Gpt2PieceEnd(std::string_view text, size_t begin) {
  if (text[begin] == '\'') {
    for (const std::string_view ending : {"s", "t", "re", "ve", "m", "ll", "d"}) {
      if (text.substr(begin + 1, ending.size()) == ending) return begin + 1 + ending.size();
    }
  }
  const size_t word = text[begin] == ' ' && begin + 1 < text.size() ? begin + 1 : begin;
  const Character first = CharacterAt(text, word);
  if (first.kind != kSpace && first.kind != kNewline) return RunEnd(text, word, first.kind);
  size_t last = begin, at = begin;
  while (at < text.size()) {
    const Character next = CharacterAt(text, at);
    if (next.kind != kSpace && next.kind != kNewline) break;
    last = at;
    at += next.size;
  }
  return at == text.size() || last == begin ? at : last;
}

}  // namespace

size_t NextPieceEnd(std::string_view text, size_t begin, PreTokenizer kind) {
  if (kind == PreTokenizer::kGpt2) return Gpt2PieceEnd(text, begin);
  size_t end = NextPieceEnd(text, begin);
  if (kind == PreTokenizer::kLlama3 && CharacterAt(text, begin).kind == kNumber) {
    for (int digits = 1; digits < 3 && end < text.size(); ++digits) {
      const Character next = CharacterAt(text, end);
      if (next.kind != kNumber) break;
      end += next.size;
    }
  }
  return end;
}

size_t Utf8CharacterLength(std::string_view text, size_t at) {
  uint32_t codepoint = 0;
  return DecodeUtf8(text, at, codepoint);
}

size_t NextPieceEnd(std::string_view text, size_t begin) {
  const Character first = CharacterAt(text, begin);
  const size_t second = begin + first.size;
  if (first.kind == kLetter) return RunEnd(text, second, kLetter);
  if (first.kind == kNumber) return second;
  if (first.kind == kNewline) return WhitespaceEnd(text, begin);
  if (text[begin] == '\'') {
    if (const size_t length = ContractionLength(text, begin); length != 0) return begin + length;
  }
  if (second < text.size()) {
    const Character next = CharacterAt(text, second);
    if (next.kind == kLetter) return RunEnd(text, second + next.size, kLetter);
    if (first.kind == kSpace && (text[begin] != ' ' || next.kind != kOther)) return WhitespaceEnd(text, begin);
  } else if (first.kind == kSpace) {
    return second;
  }
  // ` ?[^\s\p{L}\p{N}]+[\r\n]*`
  return RunEnd(text, RunEnd(text, second, kOther), kNewline);
}

}  // namespace pintle
