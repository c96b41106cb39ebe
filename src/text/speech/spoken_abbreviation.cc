// Titles, abbreviations, initials, months with their days, Roman numerals.
#include <algorithm>
#include <iterator>

#include "text/speech/number_words.h"
#include "text/speech/spoken_forms.h"
#include "text/speech/spoken_rules.h"

namespace pintle {
namespace {

enum class Kind {
  kTitle,        // a name follows: the dot never ends a sentence
  kWord,         // the dot may end a sentence
  kDotted,       // only with a dot; without it is another word
  kDottedTitle,  // both
  kBeforeNumber  // only if a number follows
};
struct Abbreviation {
  std::string_view written, spoken;
  Kind kind;
};
constexpr Abbreviation kAbbreviations[] = {
    {"Mr", "mister", Kind::kTitle},
    {"Mrs", "missus", Kind::kTitle},
    {"Ms", "miz", Kind::kTitle},
    {"Dr", "doctor", Kind::kTitle},
    {"Prof", "professor", Kind::kTitle},
    {"Mt", "mount", Kind::kTitle},
    {"Gen", "general", Kind::kDottedTitle},
    {"Col", "colonel", Kind::kDottedTitle},
    {"Capt", "captain", Kind::kDottedTitle},
    {"Lt", "lieutenant", Kind::kDottedTitle},
    {"Sgt", "sergeant", Kind::kDottedTitle},
    {"Rev", "reverend", Kind::kDottedTitle},
    {"Sen", "senator", Kind::kDottedTitle},
    {"Gov", "governor", Kind::kDottedTitle},
    {"vs", "versus", Kind::kWord},
    {"etc", "et cetera", Kind::kWord},
    {"e.g", "for example", Kind::kWord},
    {"i.e", "that is", Kind::kWord},
    {"Inc", "incorporated", Kind::kWord},
    {"Ltd", "limited", Kind::kWord},
    {"Corp", "corporation", Kind::kWord},
    {"Co", "company", Kind::kDotted},
    {"Jr", "junior", Kind::kWord},
    {"Sr", "senior", Kind::kWord},
    {"Ave", "avenue", Kind::kDotted},
    {"Blvd", "boulevard", Kind::kWord},
    {"Rd", "road", Kind::kDotted},
    {"Apt", "apartment", Kind::kDotted},
    {"approx", "approximately", Kind::kWord},
    {"dept", "department", Kind::kWord},
    {"Dept", "department", Kind::kWord},
    {"ca", "circa", Kind::kDotted},
    {"cf", "compare", Kind::kDotted},
    {"w/", "with", Kind::kWord},
    {"w/o", "without", Kind::kWord},
    {"Fig", "figure", Kind::kBeforeNumber},
    {"fig", "figure", Kind::kBeforeNumber},
    {"No", "number", Kind::kBeforeNumber},
    {"no", "number", Kind::kBeforeNumber},
    {"Nos", "numbers", Kind::kBeforeNumber},
    {"vol", "volume", Kind::kBeforeNumber},
    {"Vol", "volume", Kind::kBeforeNumber},
    {"p", "page", Kind::kBeforeNumber},
    {"pp", "pages", Kind::kBeforeNumber},
    {"ch", "chapter", Kind::kBeforeNumber},
    {"Ch", "chapter", Kind::kBeforeNumber},
    {"Mon", "monday", Kind::kDotted},
    {"Tue", "tuesday", Kind::kDotted},
    {"Wed", "wednesday", Kind::kDotted},
    {"Thu", "thursday", Kind::kDotted},
    {"Fri", "friday", Kind::kDotted},
    {"Sat", "saturday", Kind::kDotted},
    {"Sun", "sunday", Kind::kDotted},
};

// The full name of a month that is written with a capital, in full or in three letters (Sept in four), or "".
std::string_view MonthName(std::string_view word) {
  if (word.size() < 3 || !IsUpper(word[0])) return {};
  const std::string lower = ToLower(word);
  for (const std::string_view month : kMonthNames) {
    if (lower == month || lower == month.substr(0, 3) || (lower == "sept" && month == "september")) return month;
  }
  return {};
}

// "15", "3rd": the digits of a day from 1 to 31, or "".
std::string_view DayDigits(std::string_view word) {
  std::string_view digits = word;
  if (word.size() > 2 && IsLetter(word.back())) {
    if (!IsOrdinalEnding(word.substr(word.size() - 2))) return {};
    digits.remove_suffix(2);
  }
  if (!IsDigits(digits) || digits.size() > 2 || digits[0] == '0') return {};
  return digits.size() == 1 || digits <= "31" ? digits : std::string_view();
}

bool BeginsWithDigit(std::string_view word) { return !word.empty() && IsDigit(word[0]); }

// "March 15" and, behind a comma or not, a year.
SpokenStep SayMonthAndDay(std::span<const SpokenToken> tokens, SpokenWriter& out) {
  const std::string_view month = MonthName(tokens[0].core);
  if (month.empty()) return {};
  const bool abbreviated = month != ToLower(tokens[0].core);
  const bool joined =
      tokens.size() > 1 && !tokens[0].paragraph && (tokens[0].flows() || (abbreviated && tokens[0].dot));
  const std::string_view day = joined ? DayDigits(tokens[1].core) : std::string_view();
  if (day.empty()) {
    if (!abbreviated || (!tokens[0].dot && !(joined && BeginsWithDigit(tokens[1].core)))) return {};
    out.Words(month);
    return {1, tokens[0].dot && joined && BeginsWithDigit(tokens[1].core)};
  }
  out.Words(std::string(month) + " " + OrdinalWords(day));
  const bool before_year = tokens.size() > 2 && !tokens[1].paragraph && (tokens[1].flows() || tokens[1].pause == ',');
  if (!before_year || !IsDigits(tokens[2].core) || !LooksLikeYear(tokens[2].core)) return {2, false};
  out.Pause(',');
  out.Words(YearWords(tokens[2].core));
  return {3, false};
}

// Up to 39; 0 if it is none.
int RomanValue(std::string_view numeral) {
  int value = 0;
  for (size_t i = 0; i < numeral.size(); i++) {
    const auto of = [](char c) { return c == 'I' ? 1 : c == 'V' ? 5 : c == 'X' ? 10 : 0; };
    const int one = of(numeral[i]);
    if (one == 0 || numeral.size() > 7) return 0;
    value += i + 1 < numeral.size() && of(numeral[i + 1]) > one ? -one : one;
  }
  return value;
}

SpokenStep SayRoman(std::string_view core, std::string_view previous, SpokenWriter& out) {
  static constexpr std::string_view kCounting[] = {"chapter", "part", "section", "volume", "book",  "act",  "scene",
                                                   "phase",   "type", "war",     "figure", "table", "level"};
  if (core.empty() || core == "I") return {};
  if (std::find(std::begin(kCounting), std::end(kCounting), ToLower(previous)) == std::end(kCounting)) return {};
  const int value = RomanValue(core);
  if (value <= 0) return {};
  out.Words(CardinalWords(std::to_string(value)));
  return {1, false};
}

// Letters parted by dots: U.S, a.m, Ph.D.
bool IsDottedLetters(std::string_view core) {
  if (core == "Ph.D") return true;
  if (core.size() < 3 || core.size() % 2 == 0) return false;
  for (size_t i = 0; i < core.size(); i++) {
    if (i % 2 == 0 ? !IsLetter(core[i]) : core[i] != '.') return false;
  }
  return true;
}

}  // namespace

SpokenStep SayDayAndMonth(std::span<const SpokenToken> tokens, SpokenWriter& out) {
  if (tokens.size() < 2 || !tokens[0].flows()) return {};
  const std::string_view day = DayDigits(tokens[0].core), month = MonthName(tokens[1].core);
  if (day.empty() || month.empty()) return {};
  out.Words("the " + OrdinalWords(day) + " of " + std::string(month));
  const bool abbreviated = month != ToLower(tokens[1].core);
  const bool more = tokens.size() > 2 && BeginsWithDigit(tokens[2].core);
  return {2, abbreviated && tokens[1].dot && more};
}

SpokenStep SayAbbreviation(std::span<const SpokenToken> tokens, std::string_view previous, SpokenWriter& out) {
  const SpokenToken& token = tokens[0];
  const std::string_view core = token.core;
  const std::string_view next = tokens.size() > 1 && !token.paragraph ? tokens[1].core : std::string_view();
  const bool name_follows = !next.empty() && IsUpper(next[0]);
  // A dot that is not needed to end the sentence is the abbreviation's.
  const bool dot_is_own = token.dot && (token.besides_dot != 0 || (!next.empty() && !name_follows));

  if (SpokenStep step = SayMonthAndDay(tokens, out); step.tokens > 0) return step;
  if (SpokenStep step = SayRoman(core, previous, out); step.tokens > 0) return step;
  if (core == "St") {  // a saint stands before a name, a street behind one
    const bool saint = name_follows && (previous.empty() || !IsUpper(previous[0]) || out.AtSentenceStart());
    out.Words(saint ? "saint" : "street");
    return {1, saint ? token.dot : dot_is_own};
  }
  for (const Abbreviation& known : kAbbreviations) {
    if (known.written != core) continue;
    const bool title = known.kind == Kind::kTitle || known.kind == Kind::kDottedTitle;
    const bool needs_dot = known.kind != Kind::kTitle && known.kind != Kind::kWord;
    if (needs_dot && !token.dot) return {};
    if (known.kind == Kind::kBeforeNumber && !BeginsWithDigit(next)) return {};
    out.Words(known.spoken);
    return {1, token.dot && (title || dot_is_own)};
  }
  if (IsDottedLetters(core)) {
    for (const char c : core) {
      if (c != '.') out.Letter(c);
    }
    return {1, dot_is_own};
  }
  if (core.size() == 1 && IsUpper(core[0]) && token.dot && name_follows && core != "I") {  // J. Smith
    out.Letter(core[0]);
    return {1, true};
  }
  return {};
}

}  // namespace pintle
