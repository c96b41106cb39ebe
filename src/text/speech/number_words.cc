#include "text/speech/number_words.h"

#include <array>
#include <cstdint>

namespace pintle {
namespace {

constexpr std::array<std::string_view, 20> kSmall = {
    "zero", "one",    "two",    "three",    "four",     "five",    "six",     "seven",     "eight",    "nine",
    "ten",  "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr std::array<std::string_view, 10> kTens = {"",      "",      "twenty",  "thirty", "forty",
                                                    "fifty", "sixty", "seventy", "eighty", "ninety"};
constexpr std::array<std::string_view, 6> kScales = {"",         " thousand", " million",
                                                     " billion", " trillion", " quadrillion"};
constexpr size_t kMostDigits = 3 * kScales.size();

uint64_t Value(std::string_view digits) {
  uint64_t value = 0;
  for (const char c : digits) value = 10 * value + static_cast<uint64_t>(c - '0');
  return value;
}

// 1 to 99.
std::string BelowHundred(uint64_t value) {
  if (value < 20) return std::string(kSmall[value]);
  std::string words(kTens[value / 10]);
  if (value % 10 != 0) words.append(" ").append(kSmall[value % 10]);
  return words;
}

// 1 to 999.
std::string BelowThousand(uint64_t value) {
  if (value < 100) return BelowHundred(value);
  std::string words = std::string(kSmall[value / 100]) + " hundred";
  if (value % 100 != 0) words += " " + BelowHundred(value % 100);
  return words;
}

std::string Cardinal(uint64_t value) {
  if (value == 0) return std::string(kSmall[0]);
  std::string words;
  for (size_t scale = 0; value > 0; value /= 1000, scale++) {
    if (value % 1000 == 0) continue;
    std::string group = BelowThousand(value % 1000) + std::string(kScales[scale]);
    words = words.empty() ? std::move(group) : group + " " + words;
  }
  return words;
}

// Splits off the last word.
std::string TakeLastWord(std::string& words) {
  const size_t blank = words.rfind(' ');
  const size_t begin = blank == std::string::npos ? 0 : blank + 1;
  std::string last = words.substr(begin);
  words.resize(begin);
  return last;
}

}  // namespace

std::string DigitWords(std::string_view digits) {
  std::string words;
  for (const char c : digits) {
    if (!words.empty()) words += ' ';
    words += kSmall[static_cast<size_t>(c - '0')];
  }
  return words;
}

std::string CardinalWords(std::string_view digits) {
  if (digits.size() > kMostDigits || (digits.size() > 1 && digits[0] == '0')) return DigitWords(digits);
  return Cardinal(Value(digits));
}

std::string OrdinalWords(std::string_view digits) {
  std::string words = CardinalWords(digits);
  const std::string last = TakeLastWord(words);
  static constexpr std::array<std::array<std::string_view, 2>, 8> kIrregular = {{{"one", "first"},
                                                                                 {"two", "second"},
                                                                                 {"three", "third"},
                                                                                 {"five", "fifth"},
                                                                                 {"eight", "eighth"},
                                                                                 {"nine", "ninth"},
                                                                                 {"twelve", "twelfth"},
                                                                                 {"zero", "zeroth"}}};
  for (const auto& [cardinal, ordinal] : kIrregular) {
    if (last == cardinal) return words.append(ordinal);
  }
  if (last.back() == 'y') return words + last.substr(0, last.size() - 1) + "ieth";
  return words + last + "th";
}

bool LooksLikeYear(std::string_view digits) {
  return digits.size() == 4 && Value(digits) >= 1100 && Value(digits) < 2100;
}

std::string YearWords(std::string_view digits) {
  if (!LooksLikeYear(digits) || digits.substr(0, 3) == "200") return CardinalWords(digits);
  const uint64_t high = Value(digits) / 100, low = Value(digits) % 100;
  if (low == 0) return BelowHundred(high) + " hundred";
  return BelowHundred(high) + (low < 10 ? " oh " : " ") + BelowHundred(low);
}

std::string PluralWords(std::string words) {
  const std::string last = TakeLastWord(words);
  if (last.back() == 'y') return words + last.substr(0, last.size() - 1) + "ies";
  return words + last + (last.back() == 'x' ? "es" : "s");
}

}  // namespace pintle
