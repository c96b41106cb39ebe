// The rules of the normaliser, tried in this order on each token: numbers, abbreviations (with dates and Roman
// numerals), addresses, words, mixtures. Internal to text/speech; normalise.cc is the loop around them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/speech/spoken_writer.h"

namespace pintle {

/// What stands between two blanks. Views into the folded text.
struct SpokenToken {
  std::string_view core;   ///< without the marks around it; may be empty
  std::string_view whole;  ///< as written
  char pause = 0;          ///< the strongest of . , ; : ? ! behind the core, or 0
  bool dot = false;        ///< exactly one '.' directly behind the core, which may belong to an abbreviation
  char besides_dot = 0;    ///< the strongest mark that is not that dot, or 0
  bool opens = false;      ///< a bracket or a dash before it
  bool paragraph = false;  ///< the paragraph ends behind it

  /// Nothing parts it from the next token.
  [[nodiscard]] bool flows() const { return pause == 0 && !paragraph; }
};

/// Cuts ASCII text at blanks; an empty line ends a paragraph.
std::vector<SpokenToken> CutTokens(std::string_view ascii);

inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }
inline bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
inline bool IsLetter(char c) { return IsUpper(c) || (c >= 'a' && c <= 'z'); }
inline char ToLower(char c) { return IsUpper(c) ? static_cast<char>(c - 'A' + 'a') : c; }
std::string ToLower(std::string_view text);
/// At least one character, all digits.
bool IsDigits(std::string_view text);

/// "st", "nd", "rd", "th".
inline bool IsOrdinalEnding(std::string_view text) {
  return text == "st" || text == "nd" || text == "rd" || text == "th";
}

/// What a rule did: how many tokens it said (0: it is not this rule's), and whether the last one's dot was its own.
struct SpokenStep {
  size_t tokens = 0;
  bool dot_used = false;
};

/// Numbers with sign, currency, unit, percent; ordinals, years, decades, ranges, fractions, times, dates in digits,
/// telephone numbers. `tokens` begins at the token in question, here and below.
SpokenStep SayNumber(std::span<const SpokenToken> tokens, SpokenWriter& out);
/// Titles and other abbreviations, initials, dates with a month's name, Roman numerals after a word that counts.
/// `previous` is the core before, or "".
SpokenStep SayAbbreviation(std::span<const SpokenToken> tokens, std::string_view previous, SpokenWriter& out);
/// "15th march": the day and the month of two tokens, each given as it stands; 0 tokens if they are none.
SpokenStep SayDayAndMonth(std::span<const SpokenToken> tokens, SpokenWriter& out);
/// True for URLs, host names and e-mail addresses, which it says.
bool SayAddress(std::string_view core, SpokenWriter& out);
/// A word of letters and apostrophes: capitals that are names of letters are spelt, CamelCase is parted.
void SayWord(std::string_view word, SpokenWriter& out);
/// Whatever else: runs of letters and digits as words and numbers, signs by their names.
void SayMixture(std::string_view core, SpokenWriter& out);
/// A token of signs alone.
void SaySigns(std::string_view whole, SpokenWriter& out);

}  // namespace pintle
