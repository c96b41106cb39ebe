// E-mail addresses and credentials, found by shape.
#include <algorithm>
#include <array>
#include <bitset>
#include <cctype>

#include "corpus/clean_text.h"

namespace pintle {
namespace {

constexpr size_t kNone = std::string_view::npos;

bool IsAlnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }
bool IsAlpha(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool IsLocal(char c) { return IsAlnum(c) || c == '.' || c == '_' || c == '+' || c == '-' || c == '%'; }
bool IsDomain(char c) { return IsAlnum(c) || c == '.' || c == '-'; }
bool IsBase64(char c) { return IsAlnum(c) || c == '+' || c == '/' || c == '='; }

bool IsReserved(std::string_view local, std::string_view domain) {
  static constexpr std::array<std::string_view, 9> kDomains = {
      "example.com", "example.org", "example.net", "example", "test", "invalid", "localhost", "test.com", "domain.com"};
  static constexpr std::array<std::string_view, 3> kRobots = {"git", "noreply", "hg"};
  if (std::find(kRobots.begin(), kRobots.end(), local) != kRobots.end()) return true;
  return std::any_of(kDomains.begin(), kDomains.end(), [&](std::string_view reserved) {
    return domain == reserved || (domain.ends_with(reserved) && domain[domain.size() - reserved.size() - 1] == '.');
  });
}

// Length of the run of signs from `at` on for which `is` holds.
template <typename Predicate>
size_t Run(std::string_view text, size_t at, Predicate is) {
  size_t end = at;
  while (end < text.size() && is(text[end])) ++end;
  return end - at;
}

// True if one of the '@' in a run of address signs stands between a local part and a domain that is not reserved.
bool HoldsAddress(std::string_view unit) {
  for (size_t at = unit.find('@'); at != kNone; at = unit.find('@', at + 1)) {
    size_t begin = at;
    while (begin > 0 && unit[begin - 1] != '@') --begin;
    while (begin < at && !IsAlnum(unit[begin])) ++begin;
    size_t end = at + 1 + Run(unit, at + 1, IsDomain);
    while (end > at + 1 && !IsAlnum(unit[end - 1])) --end;
    const std::string_view local = unit.substr(begin, at - begin), domain = unit.substr(at + 1, end - at - 1);
    const size_t dot = domain.rfind('.');
    if (local.empty() || dot == kNone || dot == 0 || domain.front() == '-') continue;
    const std::string_view top = domain.substr(dot + 1);
    if (top.size() < 2 || top.size() > 12 || !std::all_of(top.begin(), top.end(), IsAlpha)) continue;
    if (domain.find("..") == kNone && !local.ends_with('.') && !IsReserved(local, domain)) return true;
  }
  return false;
}

struct TokenShape {
  const char* kind;
  std::string_view prefix;
  size_t min_body;
  bool upper_only;
};

constexpr std::array<TokenShape, 12> kShapes = {{
    {"aws-access-key", "AKIA", 16, true},
    {"github-token", "ghp_", 36, false},
    {"github-token", "gho_", 36, false},
    {"github-token", "ghs_", 36, false},
    {"github-token", "github_pat_", 40, false},
    {"slack-token", "xoxb-", 24, false},
    {"slack-token", "xoxp-", 24, false},
    {"stripe-key", "sk_live_", 20, false},
    {"google-api-key", "AIza", 35, false},
    {"gitlab-token", "glpat-", 20, false},
    {"npm-token", "npm_", 36, false},
    {"crates-io-token", "cio", 32, false},
}};

// Many different signs and at least a digit, an upper-case and a lower-case letter: a key rather than a word.
bool LooksRandom(std::string_view value, size_t min_distinct) {
  std::bitset<256> seen;
  bool digit = false, upper = false, lower = false;
  for (const char c : value) {
    seen.set(static_cast<unsigned char>(c));
    digit |= c >= '0' && c <= '9';
    upper |= c >= 'A' && c <= 'Z';
    lower |= c >= 'a' && c <= 'z';
  }
  return digit && upper && lower && seen.count() >= min_distinct;
}

bool IsPlaceholder(std::string_view value) {
  return value.find("EXAMPLE") != kNone || value.find("example") != kNone || value.find("xxxx") != kNone ||
         value.find("1234567") != kNone || value.find("ABCDEF") != kNone || value.find("abcdef") != kNone;
}

bool IsTokenSign(char c) { return IsAlnum(c) || c == '_' || c == '-'; }

size_t FindServiceToken(std::string_view text, const char** kind) {
  // Every shape is a run of at least kStep signs, so it is enough to look at each kStep-th byte for one.
  constexpr size_t kStep = 20;
  for (size_t at = kStep - 1; at < text.size(); at += kStep) {
    if (!IsTokenSign(text[at])) continue;
    size_t begin = at;
    while (begin > 0 && IsTokenSign(text[begin - 1])) --begin;
    const std::string_view run = text.substr(begin, Run(text, begin, IsTokenSign));
    at = begin + run.size();
    for (const TokenShape& shape : kShapes) {
      if (!run.starts_with(shape.prefix) || run.size() > 255) continue;
      const std::string_view value = run.substr(shape.prefix.size());
      if (value.size() < shape.min_body || IsPlaceholder(value)) continue;
      const bool fits = shape.upper_only
                            ? value.size() == shape.min_body &&
                                  std::all_of(value.begin(), value.end(),
                                              [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); })
                            : LooksRandom(value, 12);
      if (!fits) continue;
      *kind = shape.kind;
      return begin;
    }
  }
  return kNone;
}

size_t FindPrivateKey(std::string_view text) {
  constexpr std::string_view kEnd = "PRIVATE KEY-----";
  for (size_t at = text.find("-----BEGIN "); at != kNone; at = text.find("-----BEGIN ", at + 1)) {
    const size_t offset = text.substr(at, 60).find(kEnd);
    if (offset == kNone) continue;
    const size_t title = at + offset;
    // The body: at least 64 signs of base64, line ends (real or escaped) and quotes between them.
    size_t signs = 0;
    for (size_t i = title + kEnd.size(); i < text.size() && i < title + 400 && text[i] != '-'; ++i) {
      if (text[i] == '\\' && i + 1 < text.size()) {
        ++i;
      } else if (IsBase64(text[i])) {
        ++signs;
      }
    }
    if (signs >= 64) return at;
  }
  return kNone;
}

// NAME = "VALUE" or NAME: "VALUE" with a name that tells and a value that looks random.
size_t FindAssignment(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kNames = {"secret",  "password", "passwd",
                                                             "api_key", "apikey",   "access_token"};
  for (size_t quote = text.find('"'); quote != kNone; quote = text.find('"', quote + 1)) {
    const size_t size = Run(text, quote + 1, [](char c) { return IsBase64(c) || c == '-' || c == '_'; });
    if (size < 24 || size > 128 || quote + 1 + size >= text.size() || text[quote + 1 + size] != '"') continue;
    // The line up to the quote, as far as it matters.
    const std::string_view near = text.substr(quote < 200 ? 0 : quote - 200, std::min<size_t>(quote, 200));
    const size_t newline = near.rfind('\n');
    std::string before(near.substr(newline == kNone ? 0 : newline + 1));
    std::transform(before.begin(), before.end(), before.begin(),
                   [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
    const bool named =
        std::any_of(kNames.begin(), kNames.end(), [&](std::string_view name) { return before.find(name) != kNone; });
    if (!named || before.find_first_of("=:(") == kNone) continue;
    const std::string_view value = text.substr(quote + 1, size);
    if (LooksRandom(value, 14) && !IsPlaceholder(value)) return quote + 1;
  }
  return kNone;
}

}  // namespace

MailSpan FindMail(std::string_view text, size_t from) {
  const auto in_run = [](char c) { return IsLocal(c) || c == '@'; };
  for (size_t at = text.find('@', from); at != kNone; at = text.find('@', at)) {
    // The whole run around it is one unit: if it holds an address, it goes as a whole, so that no new one arises from
    // what would be left.
    size_t begin = at;
    while (begin > from && in_run(text[begin - 1])) --begin;
    if (begin < at && begin > 0 && text[begin - 1] == '\\') ++begin;  // the letter of an escape such as \n
    size_t end = at + Run(text, at, in_run);
    at = end;
    const std::string_view unit = text.substr(begin, end - begin);
    if (!HoldsAddress(unit)) continue;
    while (!IsAlnum(text[begin])) ++begin;
    while (!IsAlnum(text[end - 1])) --end;
    return {begin, end};
  }
  return {};
}

size_t FindSecret(std::string_view text, const char** kind) {
  if (const size_t at = FindPrivateKey(text); at != kNone) {
    *kind = "private-key";
    return at;
  }
  if (const size_t at = FindServiceToken(text, kind); at != kNone) return at;
  if (const size_t at = FindAssignment(text); at != kNone) {
    *kind = "assigned-secret";
    return at;
  }
  return kNone;
}

}  // namespace pintle
