#include "corpus/spdx.h"

#include <algorithm>
#include <cctype>

namespace pintle {
namespace {

constexpr size_t kMaxLength = 1000;
constexpr int kMaxDepth = 32;
constexpr size_t kNoRank = ~size_t{0};

bool EqualNoCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
         });
}

bool IsIdCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == ':';
}

// A part of the expression, evaluated: its place on the list (the worst of an AND), or the part in the way.
struct Value {
  size_t rank = kNoRank;
  std::string text;
};

// Recursive descent that evaluates while it reads; OR binds weaker than AND, AND weaker than WITH.
class Reader {
 public:
  Reader(std::string_view text, const std::vector<std::string>& permissive) : text_(text), permissive_(permissive) {}

  LicenceDecision Read() {
    const Value value = Or(0);
    SkipBlanks();
    if (failed_ || at_ != text_.size()) return {LicenceVerdict::kUnknown, std::string(text_.substr(0, kMaxLength))};
    return {value.rank == kNoRank ? LicenceVerdict::kNotPermissive : LicenceVerdict::kPermissive, value.text};
  }

 private:
  void SkipBlanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  std::string_view PeekWord() {
    SkipBlanks();
    size_t end = at_;
    while (end < text_.size() && IsIdCharacter(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }
  bool TakeWord(std::string_view word) {
    if (!EqualNoCase(PeekWord(), word)) return false;
    at_ += word.size();
    return true;
  }
  bool TakeSign(char sign) {
    SkipBlanks();
    if (at_ >= text_.size() || text_[at_] != sign) return false;
    ++at_;
    return true;
  }

  Value Or(int depth) {
    Value left = And(depth);
    while (!failed_ && (TakeWord("OR") || TakeSign('/'))) {
      Value right = And(depth);
      if (right.rank < left.rank) left = std::move(right);
    }
    return left;
  }

  Value And(int depth) {
    Value left = With(depth);
    while (!failed_ && TakeWord("AND")) {
      Value right = With(depth);
      if (left.rank == kNoRank) continue;
      if (right.rank == kNoRank) {
        left = std::move(right);
      } else {
        if (!HasPart(left.text, right.text)) left.text += " AND " + right.text;
        left.rank = std::max(left.rank, right.rank);
      }
    }
    return left;
  }

  Value With(int depth) {
    if (TakeSign('(')) {
      if (depth >= kMaxDepth) return Fail();
      Value inner = Or(depth + 1);
      if (!TakeSign(')')) return Fail();
      return inner;
    }
    const std::string_view word = PeekWord();
    if (word.empty() || IsOperator(word)) return Fail();
    at_ += word.size();
    Value value{kNoRank, std::string(word)};
    for (size_t i = 0; i < permissive_.size() && value.rank == kNoRank; ++i) {
      if (EqualNoCase(word, permissive_[i])) value = {i, permissive_[i]};
    }
    if (at_ < text_.size() && text_[at_] == '+') ++at_;
    if (TakeWord("WITH")) {
      const std::string_view exception = PeekWord();
      if (exception.empty() || IsOperator(exception)) return Fail();
      at_ += exception.size();
      value.text += " WITH " + std::string(exception);
    }
    return value;
  }

  // True if `part` is one of the parts of `all`, which AND joins.
  static bool HasPart(const std::string& all, const std::string& part) {
    return (" AND " + all + " AND ").find(" AND " + part + " AND ") != std::string::npos;
  }
  static bool IsOperator(std::string_view word) {
    return EqualNoCase(word, "OR") || EqualNoCase(word, "AND") || EqualNoCase(word, "WITH");
  }
  Value Fail() {
    failed_ = true;
    return {};
  }

  std::string_view text_;
  const std::vector<std::string>& permissive_;
  size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace

LicenceDecision ChooseLicence(std::string_view expression, const std::vector<std::string>& permissive) {
  if (expression.size() > kMaxLength) return {LicenceVerdict::kUnknown, "an expression of more than 1000 bytes"};
  return Reader(expression, permissive).Read();
}

}  // namespace pintle
