// Numbers in fixed forms: a whole token that is a date, a time, a telephone number or numbers with dots. Each function
// gives the words, or "" if the token is something else. Internal to text/speech.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace pintle {

/// As they are said.
inline constexpr std::array<std::string_view, 12> kMonthNames = {"january",   "february", "march",    "april",
                                                                 "may",       "june",     "july",     "august",
                                                                 "september", "october",  "november", "december"};

/// 2024-03-15, 3/15/2024 (month first unless it cannot be one).
std::string CalendarDate(std::string_view core);
/// 3:45, 15:30:10, 3:45pm; `half_day_follows`: am or pm stands in the next token.
std::string ClockTime(std::string_view core, bool half_day_follows);
/// "am" or "pm" in any case, without dots (those are an abbreviation's).
bool IsHalfDay(std::string_view word);
/// " A M" or " P M".
std::string HalfDayWords(std::string_view half);
/// 555-1234, 800-555-1234, +18005551234: digits with a comma between the groups.
std::string Telephone(std::string_view core);
/// 1.2.3, 127.0.0.1
std::string DottedNumbers(std::string_view core);

}  // namespace pintle
