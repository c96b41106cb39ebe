// Cutting at blanks, and taking the marks off each token.
#include <algorithm>

#include "text/speech/spoken_rules.h"

namespace pintle {
namespace {

constexpr std::string_view kOpening = "([{\"'`*_|";
constexpr std::string_view kClosing = ")]}\"'`*_|";
constexpr std::string_view kPauses = ".,;:?!";

char Stronger(char a, char b) {
  constexpr std::string_view kOrder = ",;:.!?";
  if (a == 0 || b == 0) return a == 0 ? b : a;
  return kOrder.find(a) >= kOrder.find(b) ? a : b;
}

SpokenToken Trim(std::string_view whole) {
  SpokenToken token;
  token.whole = whole;
  token.core = whole;
  while (!token.core.empty() && kOpening.find(token.core.front()) != std::string_view::npos) {
    token.opens |= std::string_view("([{").find(token.core.front()) != std::string_view::npos;
    token.core.remove_prefix(1);
  }
  while (!token.core.empty()) {
    const char last = token.core.back();
    if (kPauses.find(last) != std::string_view::npos) {
      token.pause = Stronger(token.pause, last);
    } else if (kClosing.find(last) == std::string_view::npos) {
      break;
    } else if (std::string_view(")]}").find(last) != std::string_view::npos) {
      token.pause = Stronger(token.pause, ',');
    }
    token.core.remove_suffix(1);
  }
  const std::string_view behind =
      whole.substr(static_cast<size_t>(token.core.data() - whole.data()) + token.core.size());
  token.dot = !behind.empty() && behind[0] == '.' && behind.find('.', 1) == std::string_view::npos;
  for (const char c : behind.substr(token.dot ? 1 : 0)) {
    if (kPauses.find(c) != std::string_view::npos) token.besides_dot = Stronger(token.besides_dot, c);
  }
  return token;
}

}  // namespace

std::string ToLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = ToLower(c);
  return lower;
}

bool IsDigits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit); }

std::vector<SpokenToken> CutTokens(std::string_view ascii) {
  std::vector<SpokenToken> tokens;
  int newlines = 0;
  for (size_t at = 0; at < ascii.size();) {
    if (ascii[at] == ' ' || ascii[at] == '\n') {
      newlines += ascii[at] == '\n' ? 1 : 0;
      at++;
      continue;
    }
    if (newlines > 1 && !tokens.empty()) tokens.back().paragraph = true;
    newlines = 0;
    const size_t end = std::min(ascii.find_first_of(" \n", at), ascii.size());
    tokens.push_back(Trim(ascii.substr(at, end - at)));
    at = end;
  }
  return tokens;
}

}  // namespace pintle
