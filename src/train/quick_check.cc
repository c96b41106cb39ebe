#include "train/quick_check.h"

#include "text/rust/lexer.h"
#include "text/rust/parser.h"

namespace pintle {

const std::vector<std::string>& QuickPrompts() {
  static const std::vector<std::string> prompts = {
      "/// Returns the larger of two numbers.\npub fn max(a: i32, b: i32) -> i32 {\n",
      "/// Returns true if the number is even.\npub fn is_even(n: u64) -> bool {\n",
      "/// Returns the sum of all values.\npub fn sum(values: &[i64]) -> i64 {\n",
      "/// Returns the number of words in a text.\npub fn count_words(text: &str) -> usize {\n",
      "/// Returns the first value, if there is one.\npub fn first(values: &[u8]) -> Option<u8> {\n",
      "/// Returns the text in upper case.\npub fn shout(text: &str) -> String {\n",
      "/// Returns a vector with the numbers below n.\npub fn below(n: usize) -> Vec<usize> {\n",
      "pub struct Point {\n    pub x: f64,\n    pub y: f64,\n}\n\nimpl Point {\n    pub fn new(x: f64, y: f64) -> Self "
      "{\n",
  };
  return prompts;
}

std::string FinishedFunction(std::string_view prompt, std::string_view answer) {
  const std::string text = std::string(prompt) + std::string(answer);
  std::vector<rust::Token> tokens;
  rust::LexRust(text, tokens);
  int depth = 0;
  for (const rust::Token& token : tokens) {
    if (token.kind == rust::TokenKind::kOpenBrace) ++depth;
    if (token.kind == rust::TokenKind::kCloseBrace && --depth == 0 && token.end > prompt.size()) {
      return text.substr(0, token.end);
    }
  }
  return text;
}

Result<QuickCheck> CheckFunctions(const std::vector<std::string>& functions, const ProgramJudge& judge) {
  QuickCheck check;
  check.functions = static_cast<int64_t>(functions.size());
  std::vector<std::string> programs;
  for (const std::string& function : functions) {
    if (rust::ParseRust(function).accepted) programs.push_back(function + "\n\nfn main() {}\n");
  }
  check.parsed = static_cast<int64_t>(programs.size());
  if (judge) {
    PINTLE_ASSIGN(check.compiled, judge(programs));
  }
  return check;
}

}  // namespace pintle
