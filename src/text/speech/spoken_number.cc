// Tokens that are numbers: which form it is, then its words.
#include <algorithm>
#include <iterator>

#include "text/speech/number_words.h"
#include "text/speech/spoken_rules.h"

namespace pintle {
namespace {

struct Unit {
  std::string_view written, one, many;
  bool attached_only = false;  // behind a blank it could be a word or a letter
};
constexpr Unit kUnits[] = {
    {"%", "percent", "percent"},
    {"km", "kilometer", "kilometers"},
    {"m", "meter", "meters"},
    {"cm", "centimeter", "centimeters"},
    {"mm", "millimeter", "millimeters"},
    {"um", "micrometer", "micrometers", true},
    {"nm", "nanometer", "nanometers"},
    {"mi", "mile", "miles"},
    {"ft", "foot", "feet"},
    {"in", "inch", "inches", true},
    {"yd", "yard", "yards"},
    {"m^2", "square meter", "square meters"},
    {"km^2", "square kilometer", "square kilometers"},
    {"cm^2", "square centimeter", "square centimeters"},
    {"ft^2", "square foot", "square feet"},
    {"m^3", "cubic meter", "cubic meters"},
    {"kg", "kilogram", "kilograms"},
    {"g", "gram", "grams"},
    {"mg", "milligram", "milligrams"},
    {"lb", "pound", "pounds"},
    {"lbs", "pound", "pounds"},
    {"oz", "ounce", "ounces"},
    {"l", "liter", "liters"},
    {"L", "liter", "liters"},
    {"ml", "milliliter", "milliliters"},
    {"mL", "milliliter", "milliliters"},
    {"km/h", "kilometer per hour", "kilometers per hour"},
    {"m/s", "meter per second", "meters per second"},
    {"mph", "mile per hour", "miles per hour"},
    {"rpm", "revolution per minute", "revolutions per minute"},
    {"fps", "frame per second", "frames per second"},
    {"Hz", "hertz", "hertz"},
    {"kHz", "kilohertz", "kilohertz"},
    {"MHz", "megahertz", "megahertz"},
    {"GHz", "gigahertz", "gigahertz"},
    {"kB", "kilobyte", "kilobytes"},
    {"KB", "kilobyte", "kilobytes"},
    {"MB", "megabyte", "megabytes"},
    {"GB", "gigabyte", "gigabytes"},
    {"TB", "terabyte", "terabytes"},
    {"KiB", "kibibyte", "kibibytes"},
    {"MiB", "mebibyte", "mebibytes"},
    {"GiB", "gibibyte", "gibibytes"},
    {"kbps", "kilobit per second", "kilobits per second"},
    {"Mbps", "megabit per second", "megabits per second"},
    {"Gbps", "gigabit per second", "gigabits per second"},
    {"ns", "nanosecond", "nanoseconds"},
    {"us", "microsecond", "microseconds", true},
    {"ms", "millisecond", "milliseconds"},
    {"s", "second", "seconds"},
    {"sec", "second", "seconds"},
    {"min", "minute", "minutes"},
    {"h", "hour", "hours"},
    {"hr", "hour", "hours"},
    {"hrs", "hour", "hours"},
    {"W", "watt", "watts"},
    {"kW", "kilowatt", "kilowatts"},
    {"MW", "megawatt", "megawatts"},
    {"kWh", "kilowatt hour", "kilowatt hours"},
    {"V", "volt", "volts", true},
    {"mV", "millivolt", "millivolts"},
    {"mA", "milliamp", "milliamps"},
    {"dB", "decibel", "decibels"},
    {"px", "pixel", "pixels"},
    {"kcal", "kilocalorie", "kilocalories"},
    {"deg", "degree", "degrees"},
    {"degC", "degree celsius", "degrees celsius"},
    {"degF", "degree fahrenheit", "degrees fahrenheit"},
    {"EUR", "euro", "euros"},
    {"USD", "dollar", "dollars"},
    {"GBP", "pound", "pounds"},
    {"JPY", "yen", "yen"},
    {"INR", "rupee", "rupees"},
    {"$", "dollar", "dollars", true},
    {"k", "thousand", "thousand", true},
    {"K", "thousand", "thousand", true},
    {"M", "million", "million", true},
    {"B", "billion", "billion", true},
    {"x", "times", "times", true},
};

struct Currency {
  std::string_view written, one, many, cent, cents;
};
constexpr Currency kCurrencies[] = {
    {"US$", "dollar", "dollars", "cent", "cents"}, {"USD", "dollar", "dollars", "cent", "cents"},
    {"$", "dollar", "dollars", "cent", "cents"},   {"EUR", "euro", "euros", "cent", "cents"},
    {"GBP", "pound", "pounds", "penny", "pence"},  {"JPY", "yen", "yen", "", ""},
    {"INR", "rupee", "rupees", "paisa", "paise"}};

struct Magnitude {
  std::string_view written, spoken;
};
constexpr Magnitude kMagnitudes[] = {{"k", "thousand"},      {"K", "thousand"},        {"m", "million"},
                                     {"M", "million"},       {"b", "billion"},         {"B", "billion"},
                                     {"bn", "billion"},      {"T", "trillion"},        {"tn", "trillion"},
                                     {"hundred", "hundred"}, {"thousand", "thousand"}, {"million", "million"},
                                     {"billion", "billion"}, {"trillion", "trillion"}};

constexpr std::string_view kMonths[] = {"january", "february", "march",     "april",   "may",      "june",
                                        "july",    "august",   "september", "october", "november", "december"};

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
  while (!quantity.whole.empty() && quantity.whole.size() <= 3 + quantity.grouped * quantity.whole.size() &&
         rest.size() >= 4 && rest[0] == ',' && IsDigits(rest.substr(1, 3)) && (rest.size() == 4 || !IsDigit(rest[4]))) {
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

const Unit* FindUnit(std::string_view written, bool attached) {
  const Unit* end = std::end(kUnits);
  const Unit* found = std::find_if(std::begin(kUnits), end, [&](const Unit& unit) { return unit.written == written; });
  return found == end || (found->attached_only && !attached) ? nullptr : found;
}

std::string_view MagnitudeWord(std::string_view written, bool attached) {
  for (const Magnitude& magnitude : kMagnitudes) {
    if (magnitude.written == written && (attached || written.size() > 2)) return magnitude.spoken;
  }
  return {};
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

std::string DateWords(std::string_view year, std::string_view month, std::string_view day) {
  const auto trim = [](std::string_view digits) { return digits[0] == '0' ? digits.substr(1) : digits; };
  const std::string_view name = kMonths[std::stoul(std::string(month)) - 1];
  return std::string(name) + " " + OrdinalWords(trim(day)) + ", " + YearWords(year);
}

bool IsMonth(std::string_view digits) {
  return IsDigits(digits) && digits.size() <= 2 && digits != "0" && digits != "00" &&
         (digits.size() == 1 || digits <= "12");
}
bool IsDay(std::string_view digits) {
  return IsDigits(digits) && digits.size() <= 2 && digits != "0" && digits != "00" &&
         (digits.size() == 1 || digits <= "31");
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// 2024-03-15, 3/15/2024 (month first unless it cannot be one).
std::string CalendarDate(std::string_view core) {
  const std::vector<std::string_view> iso = Split(core, '-');
  if (iso.size() == 3 && iso[0].size() == 4 && IsDigits(iso[0]) && iso[1].size() == 2 && iso[2].size() == 2 &&
      IsMonth(iso[1]) && IsDay(iso[2])) {
    return DateWords(iso[0], iso[1], iso[2]);
  }
  const std::vector<std::string_view> slashed = Split(core, '/');
  if (slashed.size() != 3 || slashed[2].size() != 4 || !IsDigits(slashed[2])) return {};
  if (IsMonth(slashed[0]) && IsDay(slashed[1])) return DateWords(slashed[2], slashed[0], slashed[1]);
  if (IsMonth(slashed[1]) && IsDay(slashed[0])) return DateWords(slashed[2], slashed[1], slashed[0]);
  return {};
}

std::string HalfDayWords(std::string_view half) { return ToLower(half[0]) == 'a' ? " A M" : " P M"; }

// "am" or "pm" in any case, without dots (those are an abbreviation's).
bool IsHalfDay(std::string_view word) { return ToLower(word) == "am" || ToLower(word) == "pm"; }

// 3:45, 15:30:10, 3:45pm.
std::string ClockTime(std::string_view core, bool half_day_follows) {
  std::string_view half;
  if (core.size() > 2 && IsHalfDay(core.substr(core.size() - 2))) {
    half = core.substr(core.size() - 2);
    core.remove_suffix(2);
  }
  const std::vector<std::string_view> parts = Split(core, ':');
  const bool bare_hour = parts.size() == 1 && !half.empty();  // 3pm
  if (parts.size() > 3 || (parts.size() == 1 && !bare_hour)) return {};
  if (!IsDigits(parts[0]) || parts[0].size() > 2 || (parts[0].size() == 2 && parts[0] > "24")) return {};
  for (size_t i = 1; i < parts.size(); i++) {
    if (!IsDigits(parts[i]) || parts[i].size() != 2 || parts[i] > "59") return {};
  }
  const std::string_view hour = parts[0].size() == 2 && parts[0][0] == '0' ? parts[0].substr(1) : parts[0];
  std::string words = CardinalWords(hour);
  for (size_t i = 1; i < parts.size(); i++) {
    if (parts[i] != "00") {
      words += parts[i][0] == '0' ? " oh " + CardinalWords(parts[i].substr(1)) : " " + CardinalWords(parts[i]);
    } else if (parts.size() == 3) {
      words += " oh oh";
    } else if (half.empty() && !half_day_follows) {
      const bool civil = hour.size() == 1 ? hour != "0" : hour <= "12";
      words += civil ? " o'clock" : " hundred";
    }
  }
  if (!half.empty()) words += HalfDayWords(half);
  return words;
}

// 555-1234, 800-555-1234, +18005551234: digits with a comma between the groups.
std::string Telephone(std::string_view core) {
  const bool international = TakePrefix(core, "+");
  const std::vector<std::string_view> groups = Split(core, '-');
  size_t digits = 0;
  std::string words;
  for (const std::string_view group : groups) {
    if (!IsDigits(group)) return {};
    digits += group.size();
    words += (words.empty() ? "" : ", ") + DigitWords(group);
  }
  if (digits < 7 || digits > 15) return {};
  const bool american = groups.size() >= 2 && groups.back().size() == 4 && groups[groups.size() - 2].size() == 3;
  if (!international && !american) return {};
  return (international ? "plus " : "") + words;
}

// 1.2.3
std::string DottedNumbers(std::string_view core) {
  const std::vector<std::string_view> parts = Split(core, '.');
  if (parts.size() < 3) return {};
  std::string words;
  for (const std::string_view part : parts) {
    if (!IsDigits(part)) return {};
    words += (words.empty() ? "" : parts.size() == 4 ? " dot " : " point ") + CardinalWords(part);
  }
  return words;
}

// An amount of money: the number of tokens it takes.
SpokenStep SayMoney(std::span<const SpokenToken> tokens, std::string_view sign, const Currency& currency,
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
  const Unit* unit = FindUnit(next, false);
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
  for (const Currency& currency : kCurrencies) {
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
    if (const Unit* unit = FindUnit(rest, true); unit != nullptr) {
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
