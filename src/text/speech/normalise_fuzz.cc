// libFuzzer: any bytes as text to be said. The output keeps the form that normalise.h promises, and its pieces are it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "text/speech/normalise.h"
#include "text/speech/pieces.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string spoken = pintle::NormaliseForSpeech({reinterpret_cast<const char*>(data), size}).text;
  constexpr std::string_view kMarks = ".,;:?!", kBlanks = " \n";
  char before = ' ';
  for (const char c : spoken) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '\'';
    const bool between = kMarks.find(c) != std::string_view::npos || kBlanks.find(c) != std::string_view::npos;
    PINTLE_CHECK(letter || between, "a character that is not said");
    const bool after_blank = kBlanks.find(before) != std::string_view::npos;
    PINTLE_CHECK(letter || !after_blank, "a mark or a blank behind a blank");
    before = c;
  }
  std::string joined;
  for (const pintle::SpokenPiece& piece : pintle::CutPieces(spoken, 64)) {
    PINTLE_CHECK(!piece.text.empty() && piece.text.size() <= 64, "the length of a piece");
    joined += piece.text;
  }
  size_t letters = 0;
  for (const char c : spoken) letters += kBlanks.find(c) == std::string_view::npos ? 1 : 0;
  for (const char c : joined) letters -= kBlanks.find(c) == std::string_view::npos ? 1 : 0;
  PINTLE_CHECK(letters == 0, "the pieces lack something");
  return 0;
}
