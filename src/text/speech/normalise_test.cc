#include "text/speech/normalise.h"

#include <doctest/doctest.h>

#include <string>

#include "base/file.h"
#include "text/speech/fold.h"
#include "text/speech/number_words.h"
#include "text/speech/pieces.h"

namespace pintle {
namespace {

std::string Spoken(std::string_view text) { return NormaliseForSpeech(text).text; }

// The form that the header promises.
bool KeepsForm(const std::string& spoken) {
  constexpr std::string_view kMarks = ".,;:?!", kBlanks = " \n";
  char before = ' ';
  for (const char c : spoken) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '\'';
    const bool mark = kMarks.find(c) != std::string_view::npos, blank = kBlanks.find(c) != std::string_view::npos;
    if (!letter && !mark && !blank) return false;
    if (mark && (kMarks.find(before) != std::string_view::npos || kBlanks.find(before) != std::string_view::npos)) {
      return false;
    }
    if (blank && kBlanks.find(before) != std::string_view::npos) return false;
    before = c;
  }
  return true;
}

TEST_CASE("the table of written and spoken text") {
  const auto table = ReadFile(std::string(PINTLE_SOURCE_DIR) + "/src/text/speech/testdata/normalise.txt");
  REQUIRE(table.ok());
  int cases = 0;
  for (size_t begin = 0; begin < table->size();) {
    const size_t end = table->find('\n', begin);
    const std::string line = table->substr(begin, end - begin);
    begin = end + 1;
    const size_t arrow = line.find(" => ");
    if (arrow == std::string::npos) continue;
    CHECK(Spoken(line.substr(0, arrow)) == line.substr(arrow + 4));
    cases++;
  }
  CHECK(cases >= 80);
}

TEST_CASE("paragraphs end sentences and are parted by a newline, single line ends are blanks") {
  CHECK(Spoken("A title\n\nthe text\ngoes on, \n \n and ends.") == "a title.\nthe text goes on.\nand ends.");
}

TEST_CASE("what no rule can say is counted, emoji and marks are not") {
  const SpokenText text =
      NormaliseForSpeech("hello \xE4\xBD\xA0\xE5\xA5\xBD \xF0\x9F\xA6\x80\xEF\xB8\x8F e\xCC\x81t\xC3\xA9 \xFF");
  CHECK(text.text == "hello ete.");
  CHECK(text.dropped == 3);
  CHECK(NormaliseForSpeech("\xF0\x9F\xA6\x80 ... \x01\x02").text.empty());
}

TEST_CASE("every accented Latin letter has a plain form") {
  for (uint32_t code = 0xC0; code <= 0x17F; code++) {
    const std::string bytes = {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
    CHECK(FoldToAscii(bytes).dropped == 0);
    CHECK_FALSE(FoldToAscii(bytes).text.empty());
  }
  CHECK(FoldToAscii("\u00C0\u00DF\u00FF\u0100\u017D\u017F").text == "AssyAZs");
}

TEST_CASE("numbers of any length") {
  CHECK(CardinalWords("0") == "zero");
  CHECK(CardinalWords("1000000") == "one million");
  CHECK(CardinalWords("999999999999999999") ==
        "nine hundred ninety nine quadrillion nine hundred ninety nine trillion nine hundred ninety nine billion nine "
        "hundred ninety nine million nine hundred ninety nine thousand nine hundred ninety nine");
  CHECK(CardinalWords("1000000000000000000") == DigitWords("1000000000000000000"));
  CHECK(OrdinalWords("100") == "one hundredth");
  CHECK(OrdinalWords("12") == "twelfth");
  CHECK(YearWords("1905") == "nineteen oh five");
}

TEST_CASE("hostile text keeps the form and takes linear time") {
  for (const std::string& unit : {std::string("a"), std::string("1"), std::string("1,"), std::string("."),
                                  std::string("-"), std::string("$"), std::string("1-"), std::string("'"),
                                  std::string("a."), std::string("\xC3"), std::string("(1/2) "), std::string("A")}) {
    std::string text;
    while (text.size() < 1 << 20) text += unit;
    CHECK(KeepsForm(Spoken(text)));
  }
}

TEST_CASE("pieces are sentences, long ones are cut at clauses, then words, then anywhere") {
  const auto pieces = CutPieces("one two. three four, five six seven eight.\nnine?", 24);
  REQUIRE(pieces.size() == 4);
  CHECK(pieces[0].text == "one two.");
  CHECK(pieces[0].end == PieceEnd::kSentence);
  CHECK(pieces[1].text == "three four,");
  CHECK(pieces[1].end == PieceEnd::kClause);
  CHECK(pieces[2].text == "five six seven eight.");
  CHECK(pieces[2].end == PieceEnd::kParagraph);
  CHECK(pieces[3].text == "nine?");
  const auto words = CutPieces("abcdefgh abcdefgh abcdefgh abcdefghijklmnopqrst", 16);
  REQUIRE(words.size() == 5);
  CHECK(words[0].text == "abcdefgh");
  CHECK(words[0].end == PieceEnd::kInside);
  CHECK(words[3].text == "abcdefghijklmnop");
  CHECK(words[4].text == "qrst");
  CHECK(CutPieces("", 16).empty());
}

}  // namespace
}  // namespace pintle
