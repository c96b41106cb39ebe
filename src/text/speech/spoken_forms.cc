#include "text/speech/spoken_forms.h"

#include <algorithm>
#include <vector>

#include "text/speech/number_words.h"
#include "text/speech/spoken_rules.h"

namespace pintle {
namespace {

std::string DateWords(std::string_view year, std::string_view month, std::string_view day) {
  const auto trim = [](std::string_view digits) { return digits[0] == '0' ? digits.substr(1) : digits; };
  const std::string_view name = kMonthNames[std::stoul(std::string(month)) - 1];
  return std::string(name) + " " + OrdinalWords(trim(day)) + ", " + YearWords(year);
}

// One or two digits from 1 to `last` (of two digits).
bool IsUpTo(std::string_view digits, std::string_view last) {
  if (!IsDigits(digits) || digits.size() > 2 || digits == "0" || digits == "00") return false;
  return digits.size() == 1 || digits <= last;
}
bool IsMonth(std::string_view digits) { return IsUpTo(digits, "12"); }
bool IsDay(std::string_view digits) { return IsUpTo(digits, "31"); }

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

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

bool IsHalfDay(std::string_view word) { return ToLower(word) == "am" || ToLower(word) == "pm"; }

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

std::string Telephone(std::string_view core) {
  const bool international = core.starts_with('+');
  if (international) core.remove_prefix(1);
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

}  // namespace pintle
