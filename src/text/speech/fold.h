// Any bytes -> ASCII for the normaliser: accents are taken off, typographic signs become their plain forms, symbols
// that have a spoken name become words. The first step of normalise.h; it deliberately knows no tokens and no numbers.
// Source: the Unicode names and compatibility forms of the characters listed in fold.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pintle {

/// Text in printable ASCII, blanks and newlines.
struct FoldedText {
  std::string text;
  int64_t dropped = 0;  ///< letters and digits of scripts that are not spoken, and bytes that are no UTF-8
};

/// Linear in the text. Emoji, control characters and unknown signs become blanks and are not counted. Currency signs
/// become their codes in front of or behind the amount (EUR5), the degree sign "deg", fractions "1/2".
FoldedText FoldToAscii(std::string_view text);

}  // namespace pintle
