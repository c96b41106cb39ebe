// Tokens that are numbers: which form it is, then its words.
#include <algorithm>
#include <iterator>

#include "text/speech/number_words.h"
#include "text/speech/spoken_forms.h"
#include "text/speech/spoken_rules.h"
#include "text/speech/spoken_units.h"

namespace pintle {
namespace {

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::string_view TakeDigits(std::string_view& text) {
  const auto* end = std::find_if_not(text.begin(), text.end(), IsDigit);
  const std::string_view digits = text.substr(0, static_cast<size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

// Digits with groups of three (1,234,567) and a fraction (.25).
struct Quantity {
  std::string whole;  // "" in ".5"
  std::string_view fraction;
  bool grouped = false;

  [[nodiscard]] bool is_integer() const { return fraction.empty(); }
  [[nodiscard]] bool is_one() const { return whole == "1" && fraction.empty(); }
  [[nodiscard]] bool is_year() const { return is_integer() && !grouped && LooksLikeYear(whole); }
};

bool TakeQuantity(std::string_view& text, Quantity& quantity) {
  std::string_view rest = text;
  quantity.whole = TakeDigits(rest);
  while (!quantity.whole.empty() && (quantity.grouped || quantity.whole.size() <= 3) && rest.size() >= 4 &&
         rest[0] == ',' && IsDigits(rest.substr(1, 3)) && (rest.size() == 4 || !IsDigit(rest[4]))) {
    quantity.whole += rest.substr(1, 3);
    quantity.grouped = true;
    rest.remove_prefix(4);
  }
  if (rest.size() >= 2 && rest[0] == '.' && IsDigit(rest[1])) {
    rest.remove_prefix(1);
    quantity.fraction = TakeDigits(rest);
  }
  if (quantity.whole.empty() && quantity.fraction.empty()) return false;
  text = rest;
  return true;
}

std::string Words(const Quantity& quantity) {
  std::string words = quantity.whole.empty() ? "" : CardinalWords(quantity.whole);
  if (!quantity.fraction.empty()) words += (words.empty() ? "point " : " point ") + DigitWords(quantity.fraction);
  return words;
}

// "1", "2" of "1/2"; fractions that are read as such, not dates and scores.
bool IsFraction(std::string_view numerator, std::string_view denominator) {
  static constexpr std::string_view kDenominators[] = {"2", "3", "4", "5", "6", "8", "10", "16", "100"};
  const bool known =
      std::find(std::begin(kDenominators), std::end(kDenominators), denominator) != std::end(kDenominators);
  const bool proper =
      numerator.size() < denominator.size() || (numerator.size() == denominator.size() && numerator < denominator);
  return known && proper && IsDigits(numerator) && numerator[0] != '0';
}

std::string FractionWords(std::string_view numerator, std::string_view denominator) {
  const std::string one = denominator == "2" ? "half" : denominator == "4" ? "quarter" : OrdinalWords(denominator);
  if (numerator == "1") return "one " + one;
  return CardinalWords(numerator) + " " + (denominator == "2" ? "halves" : PluralWords(one));
}

// Splits "a/b"; false if it is anything else.
bool SplitFraction(std::string_view text, std::string_view& numerator, std::string_view& denominator) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  numerator = text.substr(0, slash);
  denominator = text.substr(slash + 1);
  return IsFraction(numerator, denominator);
}

// An amount of money; `rest` is what stands behind sign and currency.
SpokenStep SayMoney(std::span<const SpokenToken> tokens, std::string_view sign, const SpokenCurrency& currency,
                    std::string_view rest, SpokenWriter& out) {
  Quantity amount;
  if (!TakeQuantity(rest, amount)) return {};
  std::string words = Words(amount);
  Quantity to;
  if (rest.size() > 1 && rest[0] == '-') {
    rest.remove_prefix(1);
    TakePrefix(rest, currency.written);
    if (!TakeQuantity(rest, to)) return {};
    words += " to " + Words(to);
  }
  size_t used = 1;
  std::string_view magnitude = MagnitudeWord(rest, true);
  if (rest.empty() && tokens[0].flows() && tokens.size() > 1) {
    magnitude = MagnitudeWord(tokens[1].core, false);
    used += magnitude.empty() ? 0 : 1;
  }
  if (!rest.empty() && magnitude.empty()) return {};
  out.Words(sign);
  const bool cents = magnitude.empty() && amount.fraction.size() == 2 && to.whole.empty() && !currency.cent.empty();
  if (!cents) {
    if (!magnitude.empty()) words.append(" ").append(magnitude);
    out.Words(words);
    out.Words(amount.is_one() && to.whole.empty() && magnitude.empty() ? currency.one : currency.many);
    return {used, false};
  }
  const std::string minor(amount.fraction[0] == '0' ? amount.fraction.substr(1) : amount.fraction);
  const bool no_major = amount.whole.empty() || amount.whole == "0";
  if (!no_major || minor == "0") {
    out.Words(no_major ? "zero" : CardinalWords(amount.whole));
    out.Words(amount.whole == "1" ? currency.one : currency.many);
    if (minor == "0") return {used, false};
    out.Words("and");
  }
  out.Words(CardinalWords(minor));
  out.Words(minor == "1" ? currency.cent : currency.cents);
  return {used, false};
}

// What may stand behind a number in the next token: a unit, a fraction.
size_t SayTail(std::span<const SpokenToken> tokens, const Quantity& quantity, const std::string& words, bool range,
               SpokenWriter& out) {
  const std::string_view next = tokens.size() > 1 && tokens[0].flows() ? tokens[1].core : std::string_view();
  const SpokenUnit* unit = FindUnit(next, false);
  std::string_view numerator, denominator;
  if (unit != nullptr) {
    out.Words(words);
    out.Words(quantity.is_one() && !range ? unit->one : unit->many);
    return 2;
  }
  if (IsHalfDay(next) && quantity.is_integer() && quantity.whole.size() <= 2) {
    out.Words(words + HalfDayWords(next));
    return 2;
  }
  if (quantity.is_integer() && !range && SplitFraction(next, numerator, denominator)) {
    const std::string fraction = FractionWords(numerator, denominator);
    out.Words(words);
    out.Words("and");
    out.Words(fraction == "one half" ? "a half" : fraction);
    return 2;
  }
  out.Words(quantity.is_year() && !range ? YearWords(quantity.whole) : words);
  return 1;
}

}  // namespace

SpokenStep SayNumber(std::span<const SpokenToken> tokens, SpokenWriter& out) {
  std::string_view rest = tokens[0].core;
  if (std::none_of(rest.begin(), rest.end(), IsDigit)) return {};
  if (SpokenStep step = SayDayAndMonth(tokens, out); step.tokens > 0) return step;

  const std::string_view next = tokens.size() > 1 && tokens[0].flows() ? tokens[1].core : std::string_view();
  const bool half_day = IsHalfDay(next);
  const bool dotted_half_day = ToLower(next) == "a.m" || ToLower(next) == "p.m";
  if (std::string words = ClockTime(rest, half_day || dotted_half_day); !words.empty()) {
    out.Words(half_day ? words + HalfDayWords(next) : words);
    return {half_day ? size_t{2} : size_t{1}, false};
  }
  for (const std::string& words : {CalendarDate(rest), Telephone(rest), DottedNumbers(rest)}) {
    if (words.empty()) continue;
    out.Words(words);
    return {1, false};
  }

  std::string_view sign;
  if (TakePrefix(rest, "<"))
    sign = "less than";
  else if (TakePrefix(rest, ">"))
    sign = "more than";
  else if (TakePrefix(rest, "~"))
    sign = "about";
  else if (TakePrefix(rest, "#"))
    sign = "number";
  else if (TakePrefix(rest, "+"))
    sign = "plus";
  else if (TakePrefix(rest, "-"))
    sign = "minus";
  for (const SpokenCurrency& currency : Currencies()) {
    if (TakePrefix(rest, currency.written)) return SayMoney(tokens, sign, currency, rest, out);
  }

  Quantity quantity;
  if (!TakeQuantity(rest, quantity)) return {};
  std::string words = Words(quantity);
  std::string_view numerator, denominator;
  if (quantity.is_integer() && IsOrdinalEnding(rest)) {
    words = OrdinalWords(quantity.whole);
  } else if (quantity.is_integer() && rest == "s" && quantity.whole.back() == '0' &&
             (quantity.is_year() || quantity.whole.size() == 2)) {
    words = PluralWords(YearWords(quantity.whole));
  } else if (SplitFraction(tokens[0].core, numerator, denominator)) {
    words = FractionWords(numerator, denominator);
  } else {
    Quantity to;
    const bool range = rest.size() > 1 && rest[0] == '-' && IsDigit(rest[1]);
    if (range) {
      rest.remove_prefix(1);
      if (!TakeQuantity(rest, to)) return {};
      const bool years = quantity.is_year() && to.is_integer();
      words = (years ? YearWords(quantity.whole) : words) + " to " + (years ? YearWords(to.whole) : Words(to));
    }
    if (const SpokenUnit* unit = FindUnit(rest, true); unit != nullptr) {
      words.append(" ").append(quantity.is_one() && !range ? unit->one : unit->many);
    } else if (rest.empty()) {
      out.Words(sign);
      return {SayTail(tokens, quantity, words, range, out), false};
    } else {
      return {};
    }
  }
  out.Words(sign);
  out.Words(words);
  return {1, false};
}

}  // namespace pintle
