// Numbers as English words, in the short scale and without "and": 1205 is "one thousand two hundred five". Digits come
// as text, so that no number is too long. Used by the normaliser alone.
#pragma once

#include <string>
#include <string_view>

namespace pintle {

/// "42" -> "forty two". Numbers that begin with 0 or have more than 18 digits are read digit by digit.
std::string CardinalWords(std::string_view digits);
/// "21" -> "twenty first".
std::string OrdinalWords(std::string_view digits);
/// "1984" -> "nineteen eighty four", "2005" -> "two thousand five"; what is no year of 1100 to 2099 as CardinalWords.
std::string YearWords(std::string_view digits);
/// True for four digits from 1100 to 2099.
bool LooksLikeYear(std::string_view digits);
/// "404" -> "four zero four".
std::string DigitWords(std::string_view digits);
/// The last word of a number in the plural: "nineteen ninety" -> "nineteen nineties", "two" -> "twos".
std::string PluralWords(std::string words);

}  // namespace pintle
