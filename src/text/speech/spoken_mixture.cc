// Addresses, and tokens in which letters, digits and signs are mixed.
#include <algorithm>
#include <iterator>

#include "text/speech/number_words.h"
#include "text/speech/spoken_rules.h"

namespace pintle {
namespace {

constexpr std::string_view kTopLevelDomains[] = {"com", "org", "net", "edu", "gov", "io",   "dev", "ai", "app",
                                                 "co",  "uk",  "de",  "fr",  "eu",  "info", "me",  "us", "ca",
                                                 "au",  "jp",  "cn",  "in",  "ch",  "nl",   "se",  "tv"};

std::string_view SignName(char sign) {
  switch (sign) {
    case '.':
      return "dot";
    case '/':
      return "slash";
    case '\\':
      return "backslash";
    case '@':
      return "at";
    case '&':
      return "and";
    case '+':
      return "plus";
    case '=':
      return "equals";
    case '#':
      return "hash";
    case '%':
      return "percent";
    case '$':
      return "dollar";
    default:
      return "";
  }
}

// In addresses every sign counts.
std::string_view AddressSignName(char sign) {
  switch (sign) {
    case '-':
      return "dash";
    case '_':
      return "underscore";
    case ':':
      return "colon";
    case '?':
      return "question mark";
    case '~':
      return "tilde";
    default:
      return SignName(sign);
  }
}

// In names: up to two digits are a number, more are read one by one, but for years.
std::string Run(std::string_view digits) {
  if (digits.size() <= 2) return CardinalWords(digits);
  return LooksLikeYear(digits) ? YearWords(digits) : DigitWords(digits);
}

size_t RunEnd(std::string_view text, size_t at, bool (*belongs)(char)) {
  while (at < text.size() && belongs(text[at])) at++;
  return at;
}

bool IsWordCharacter(char c) { return IsLetter(c) || c == '\''; }

void SayParts(std::string_view text, bool address, SpokenWriter& out) {
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (IsDigit(c)) {
      size_t end = RunEnd(text, at, IsDigit);
      const std::string_view digits = text.substr(at, end - at);
      const bool counts = !address && (at == 0 || !IsLetter(text[at - 1]));
      const size_t word_end = RunEnd(text, end, IsLetter);
      if (counts && IsOrdinalEnding(text.substr(end, word_end - end))) {
        out.Words(OrdinalWords(digits));
        end = word_end;
      } else {
        out.Words(counts ? YearWords(digits) : Run(digits));
      }
      at = end;
    } else if (IsWordCharacter(c)) {
      const size_t end = RunEnd(text, at, IsWordCharacter);
      const std::string_view word = text.substr(at, end - at);
      const bool spelt = word.size() <= 3 && word.find_first_of("aeiouyAEIOUY'") == std::string_view::npos;
      spelt ? out.Spell(ToLower(word)) : SayWord(word, out);
      at = end;
    } else {
      const bool between_digits = at > 0 && at + 1 < text.size() && IsDigit(text[at - 1]) && IsDigit(text[at + 1]);
      const bool sharp = c == '#' && !address && at == 1 && IsUpper(text[0]) && text.size() == 2;
      if (c == '.' && between_digits) {
        out.Words("point");
      } else if (sharp) {
        out.Words("sharp");
      } else if (!address && std::string_view(",;:?!").find(c) != std::string_view::npos) {
        out.Pause(c);
      } else {
        out.Words(address ? AddressSignName(c) : SignName(c));
      }
      at++;
    }
  }
}

bool IsHost(std::string_view host) {
  const size_t dot = host.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || host.find("..") != std::string_view::npos) return false;
  if (!std::all_of(host.begin(), host.end(),
                   [](char c) { return IsLetter(c) || IsDigit(c) || c == '.' || c == '-'; })) {
    return false;
  }
  const std::string last = ToLower(host.substr(dot + 1));
  return std::find(std::begin(kTopLevelDomains), std::end(kTopLevelDomains), last) != std::end(kTopLevelDomains);
}

}  // namespace

bool SayAddress(std::string_view core, SpokenWriter& out) {
  const std::string lower = ToLower(core.substr(0, 8));
  for (const std::string_view scheme : {"https://", "http://", "ftp://"}) {
    if (lower.substr(0, scheme.size()) != scheme) continue;
    SayParts(core.substr(scheme.size()), true, out);
    return true;
  }
  const size_t at = core.find('@');
  const bool mail = at != std::string_view::npos && at > 0 && IsHost(core.substr(at + 1));
  const std::string_view host = core.substr(0, core.find_first_of("/?:#"));
  if (!mail && !IsHost(host)) return false;
  SayParts(core, true, out);
  return true;
}

void SayMixture(std::string_view core, SpokenWriter& out) { SayParts(core, false, out); }

void SaySigns(std::string_view whole, SpokenWriter& out) {
  static constexpr struct {
    std::string_view sign, words;
  } kNames[] = {{"&", "and"},
                {"+", "plus"},
                {"=", "equals"},
                {"<", "less than"},
                {">", "greater than"},
                {"@", "at"},
                {"/", "slash"},
                {"%", "percent"},
                {"==", "equals"},
                {"!=", "not equal to"},
                {"$", "dollars"},
                {"->", "to"},
                {"=>", "to"},
                {"<=", "less than or equal to"},
                {">=", "greater than or equal to"}};
  for (const auto& name : kNames) {
    if (name.sign == whole) return out.Words(name.words);
  }
  if (whole.find('-') != std::string_view::npos) out.Pause(',');
}

}  // namespace pintle
