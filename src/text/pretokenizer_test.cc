#include "text/pretokenizer.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/rng.h"

namespace pintle {
namespace {

std::vector<std::string> Pieces(std::string_view text) {
  std::vector<std::string> pieces;
  ForEachPiece(text, [&](size_t begin, size_t end) { pieces.emplace_back(text.substr(begin, end - begin)); });
  return pieces;
}
using List = std::vector<std::string>;

TEST_CASE("words take one leading sign, numbers stand alone, signs take one leading space and the newlines behind") {
  CHECK(Pieces("let x_1 = foo.bar(42);\n") == List{"let", " x", "_", "1", " =", " foo", ".bar", "(", "4", "2", ");\n"});
  CHECK(Pieces("a::b<T>{}\r\n\r\nc") == List{"a", "::", "b", "<T", ">{}\r\n\r\n", "c"});
  CHECK(Pieces("\tx") == List{"\tx"});
  CHECK(Pieces("\t+x") == List{"\t", "+x"});
  CHECK(Pieces(" ++ y") == List{" ++", " y"});
}

TEST_CASE("contractions come first, in any case") {
  CHECK(Pieces("it's I'LL y'all 'reason 've") ==
        List{"it", "'s", " I", "'LL", " y", "'all", " '", "reason", " '", "ve"});
  CHECK(Pieces("'s'T'Re'vE'm'd'x'") == List{"'s", "'T", "'Re", "'vE", "'m", "'d", "'x", "'"});
  CHECK(Pieces("'\u017F") == List{"'\u017F"});
  CHECK(Pieces("'reason") == List{"'re", "ason"});
}

TEST_CASE("white space leaves its last character to the next word, and ends at its last newline") {
  CHECK(Pieces("a    b") == List{"a", "   ", " b"});
  CHECK(Pieces("a    ") == List{"a", "    "});
  CHECK(Pieces("a  \n\n    b") == List{"a", "  \n\n", "   ", " b"});
  CHECK(Pieces("a\n\t\tb") == List{"a", "\n", "\t", "\tb"});
  CHECK(Pieces("  +") == List{" ", " +"});
  CHECK(Pieces("\t\t+") == List{"\t", "\t", "+"});
  CHECK(Pieces(" 1") == List{" ", "1"});
  CHECK(Pieces("   1") == List{"  ", " ", "1"});
  CHECK(Pieces("\u00A0\u3000x") == List{"\u00A0", "\u3000x"});
  CHECK(Pieces("") == List{});
}

TEST_CASE("letters and numbers are Unicode's") {
  CHECK(Pieces("\u00E9t\u00E9 \u4F60\u597D\u0663\u00BD!") ==
        List{"\u00E9t\u00E9", " \u4F60\u597D", "\u0663", "\u00BD", "!"});
  CHECK(Pieces("\U0001F980\U0001F980x") == List{"\U0001F980\U0001F980", "x"});
  CHECK(Pieces("e\u0301x") == List{"e", "\u0301x"});  // a combining mark is no letter
}

TEST_CASE("invalid bytes are signs, one by one") {
  CHECK(Pieces("a\xFF\xFE b") == List{"a", "\xFF\xFE", " b"});
  CHECK(Pieces("\xC3") == List{"\xC3"});
  CHECK(Pieces("\xED\xA0\x80x") == List{"\xED\xA0\x80", "x"});  // a surrogate
  CHECK(Utf8CharacterLength("\xC0\x80", 0) == 0);               // overlong
  CHECK(Utf8CharacterLength("\xF4\x90\x80\x80", 0) == 0);       // beyond 10FFFF
  CHECK(Utf8CharacterLength("\u20AC", 0) == 3);
}

// The expression, alternative by alternative with its backtracking written out, over classes of ASCII characters.
size_t ReferenceEnd(const std::string& text, size_t begin) {
  const auto at = [&](size_t i) { return i < text.size() ? text[i] : '\0'; };
  const auto letter = [&](size_t i) { return i < text.size() && isalpha(at(i)) != 0; };
  const auto number = [&](size_t i) { return i < text.size() && isdigit(at(i)) != 0; };
  const auto newline = [&](size_t i) { return at(i) == '\r' || at(i) == '\n'; };
  const auto space = [&](size_t i) { return i < text.size() && isspace(at(i)) != 0; };
  const auto other = [&](size_t i) { return i < text.size() && !letter(i) && !number(i) && !space(i); };
  const auto lower = [&](size_t i) { return static_cast<char>(tolower(at(i))); };
  if (at(begin) == '\'') {
    const std::string two{lower(begin + 1), lower(begin + 2)};
    if (std::string("stmd").find(two[0]) != std::string::npos && two[0] != '\0') return begin + 2;
    if (two == "re" || two == "ve" || two == "ll") return begin + 3;
  }
  for (const size_t skip : {1, 0}) {
    if (skip == 1 && (newline(begin) || letter(begin) || number(begin))) continue;
    size_t i = begin + skip;
    while (letter(i)) ++i;
    if (i > begin + skip) return i;
  }
  if (number(begin)) return begin + 1;
  for (const size_t skip : {1, 0}) {
    if (skip == 1 && at(begin) != ' ') continue;
    size_t i = begin + skip;
    while (other(i)) ++i;
    if (i == begin + skip) continue;
    while (newline(i)) ++i;
    return i;
  }
  size_t run = begin;
  while (space(run)) ++run;
  for (size_t i = run; i > begin; --i) {
    if (newline(i - 1)) return i;
  }
  if (run == text.size() || run == begin + 1) return run;
  return run - 1;
}

TEST_CASE("random text is cut as by the written-out expression") {
  const std::string alphabet = "  \n\r\tab'sSlLrRvVeE12+-(;_";
  for (uint64_t round = 0; round < 3000; ++round) {
    RandomStream random(1, Purpose::kTest, round);
    std::string text;
    for (uint32_t n = random.NextBelow(24); n > 0; --n)
      text += alphabet[random.NextBelow(static_cast<uint32_t>(alphabet.size()))];
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = NextPieceEnd(text, begin);
      REQUIRE_MESSAGE(end == ReferenceEnd(text, begin), "in <", text, "> at ", begin);
      begin = end;
    }
  }
}

}  // namespace
}  // namespace pintle
