#include "generate/gbnf.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/pretokenizer.h"

namespace pintle {
namespace {

constexpr size_t kMaxText = 64 << 10, kMaxGroups = 64;
constexpr int64_t kMaxRepeat = 10000;
constexpr int32_t kMaxDepth = 200;  // nested calls of a text
constexpr uint32_t kLastCode = 0x10FFFF;

using Ranges = std::vector<std::pair<uint32_t, uint32_t>>;

// Characters one after the other, or a rule; so many times.
struct Element {
  std::vector<Ranges> characters;
  int32_t rule = -1;
};

// A rule, or a group, while it is read.
struct Open {
  int32_t rule = 0;
  std::vector<std::vector<Element>> alternatives{1};
};

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::shared_ptr<const Grammar>> Parse() {
    if (text_.size() > kMaxText) return Bad("a grammar has at most " + std::to_string(kMaxText) + " bytes");
    for (Skip(true); at_ < text_.size(); Skip(true)) PINTLE_RETURN_IF_ERROR(ReadRule());
    const auto root = rules_.find("root");
    if (root == rules_.end()) return Bad("there is no rule 'root'");
    for (const auto& [name, rule] : rules_) {
      if (!rule.defined) return Bad("there is no rule '" + name + "'");
    }
    auto grammar = builder_.Build(root->second.id, kMaxDepth);
    if (!grammar.ok()) return ValidationError(grammar.error().what, "grammar", grammar.error().hint);
    return grammar;
  }

 private:
  struct Rule {
    int32_t id = 0;
    bool defined = false;
  };

  [[nodiscard]] Error Bad(const std::string& what) const {
    const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n');
    return ValidationError(what, "grammar:" + std::to_string(line));
  }
  [[nodiscard]] char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Eat(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void Skip(bool lines) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
        ++at_;
      } else {
        return;
      }
    }
  }

  Result<std::string> Name() {
    const size_t begin = at_;
    while (at_ < text_.size() && IsNameCharacter(text_[at_])) ++at_;
    if (at_ == begin) return Bad("here a name should stand");
    return std::string(text_.substr(begin, at_ - begin));
  }
  Rule& Find(const std::string& name) {
    const auto [it, added] = rules_.try_emplace(name);
    if (added) it->second.id = builder_.AddRule(name);
    return it->second;
  }

  Status ReadRule() {
    PINTLE_ASSIGN(const std::string name, Name());
    Skip(false);
    if (!Eat("::=")) return Bad("behind the name '" + name + "' there is no ::=");
    Rule& rule = Find(name);
    if (std::exchange(rule.defined, true)) return Bad("there are two rules '" + name + "'");
    std::vector<Open> open(1);
    open[0].rule = rule.id;
    Skip(true);
    while (!open.empty()) PINTLE_RETURN_IF_ERROR(ReadNext(open));
    return {};
  }

  // One element, operator or parenthesis; the end of the rule takes the last of `open` away.
  Status ReadNext(std::vector<Open>& open) {
    std::vector<Element>& sequence = open.back().alternatives.back();
    const char c = Peek();
    if (c == '"') {
      PINTLE_RETURN_IF_ERROR(ReadText(sequence.emplace_back()));
    } else if (c == '[') {
      PINTLE_RETURN_IF_ERROR(ReadClass(sequence.emplace_back()));
    } else if (IsNameCharacter(c)) {
      PINTLE_ASSIGN(const std::string name, Name());
      sequence.push_back({{}, Find(name).id});
    } else if (Eat(".")) {
      sequence.push_back({{{{0, kLastCode}}}, -1});
    } else if (Eat("(")) {
      if (open.size() > kMaxGroups) return Bad("more than " + std::to_string(kMaxGroups) + " groups inside each other");
      open.emplace_back();
      open.back().rule = builder_.AddRule("(group)");
    } else if (c == ')' && open.size() > 1) {
      ++at_;
      Close(open);
    } else if (Eat("|")) {
      open.back().alternatives.emplace_back();
      Skip(true);
    } else if (c == '*' || c == '+' || c == '?' || c == '{') {
      PINTLE_RETURN_IF_ERROR(ReadRepeat(sequence));
    } else if (open.size() == 1 && (at_ == text_.size() || c == '\n' || c == '\r')) {
      Close(open);
    } else {
      return Bad(at_ == text_.size() ? "a parenthesis is not closed" : "unexpected '" + std::string(1, c) + "'");
    }
    Skip(open.size() > 1);
    return {};
  }

  // The rule of the last of `open` is known now; a group becomes an element of what it stands in.
  void Close(std::vector<Open>& open) {
    const Open done = std::move(open.back());
    open.pop_back();
    int32_t all = -1;
    for (const std::vector<Element>& sequence : done.alternatives) {
      int32_t next = GrammarBuilder::kReturn;
      for (size_t i = sequence.size(); i-- > 0;) next = Build(sequence[i], next);
      all = all < 0 ? next : builder_.Either(all, next);
    }
    builder_.Define(done.rule, all);
    if (!open.empty()) open.back().alternatives.back().push_back({{}, done.rule});
  }

  int32_t Build(const Element& element, int32_t next) {
    if (element.rule >= 0) return builder_.Call(element.rule, next);
    for (size_t i = element.characters.size(); i-- > 0;) next = builder_.Character(element.characters[i], next);
    return next;
  }

  Status ReadRepeat(std::vector<Element>& sequence) {
    int64_t min = 0, max = GrammarBuilder::kForever;
    if (Eat("+")) {
      min = 1;
    } else if (Eat("?")) {
      max = 1;
    } else if (Eat("{")) {
      PINTLE_ASSIGN(min, Number());
      max = min;
      if (Eat(",")) {
        max = GrammarBuilder::kForever;
        if (Peek() != '}') {
          PINTLE_ASSIGN(max, Number());
        }
      }
      if (!Eat("}")) return Bad("a { is not closed");
      if (max != GrammarBuilder::kForever && max < min) return Bad("a range ends before it begins");
    } else {
      Eat("*");
    }
    if (sequence.empty()) return Bad("there is nothing to repeat");
    int32_t once = sequence.back().rule;
    if (once < 0) {
      once = builder_.AddRule("(repeated)");
      builder_.Define(once, Build(sequence.back(), GrammarBuilder::kReturn));
    }
    const int32_t repeated = builder_.AddRule("(repetition)");
    builder_.Define(repeated, builder_.Repeat(once, min, max, GrammarBuilder::kReturn));
    sequence.back() = {{}, repeated};
    return {};
  }

  Result<int64_t> Number() {
    Skip(false);
    int64_t value = 0;
    const size_t begin = at_;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      value = std::min(10 * value + (text_[at_] - '0'), kMaxRepeat + 1);
    }
    if (at_ == begin) return Bad("here a number should stand");
    if (value > kMaxRepeat) return Bad("more than " + std::to_string(kMaxRepeat) + " repetitions");
    Skip(false);
    return value;
  }

  Status ReadText(Element& element) {
    ++at_;
    while (!Eat("\"")) {
      PINTLE_ASSIGN(const uint32_t code, Character());
      element.characters.push_back({{code, code}});
    }
    return {};
  }

  Status ReadClass(Element& element) {
    ++at_;
    const bool inverted = Eat("^");
    Ranges ranges;
    while (!Eat("]")) {
      PINTLE_ASSIGN(const uint32_t low, Character());
      uint32_t high = low;
      if (Peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        ++at_;
        PINTLE_ASSIGN(high, Character());
        if (high < low) return Bad("a range ends before it begins");
      }
      ranges.emplace_back(low, high);
    }
    if (inverted) {
      std::sort(ranges.begin(), ranges.end());
      Ranges others;
      uint32_t free = 0;
      for (const auto& [low, high] : ranges) {
        if (low > free) others.emplace_back(free, low - 1);
        free = std::max(free, high + 1);
      }
      if (free <= kLastCode) others.emplace_back(free, kLastCode);
      ranges = std::move(others);
    }
    element.characters.push_back(std::move(ranges));
    return {};
  }

  // One code point, plain or escaped.
  Result<uint32_t> Character() {
    if (at_ == text_.size() || Peek() == '\n') return Bad("a text or class is not closed");
    if (Peek() != '\\') {
      const size_t size = Utf8CharacterLength(text_, at_);
      if (size == 0) return Bad("the grammar is not UTF-8");
      const auto first = static_cast<uint8_t>(text_[at_]);
      uint32_t code = size == 1 ? first : first & (0x7FU >> size);
      for (size_t i = 1; i < size; ++i) code = code << 6 | (static_cast<uint8_t>(text_[at_ + i]) & 63U);
      at_ += size;
      return code;
    }
    if (++at_ == text_.size()) return Bad("a text or class is not closed");
    const char kind = text_[at_++];
    switch (kind) {
      case 'n':
        return uint32_t{'\n'};
      case 'r':
        return uint32_t{'\r'};
      case 't':
        return uint32_t{'\t'};
      case '\\':
      case '"':
      case '[':
      case ']':
      case '^':
      case '-':
        return static_cast<uint32_t>(kind);
      case 'x':
        return Hex(2);
      case 'u':
        return Hex(4);
      case 'U':
        return Hex(8);
      default:
        return Bad("this escape is not known");
    }
  }

  Result<uint32_t> Hex(size_t digits) {
    uint64_t code = 0;
    for (size_t i = 0; i < digits; ++i, ++at_) {
      const char c = Peek();
      const int value = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (value < 0) return Bad("this escape needs " + std::to_string(digits) + " hexadecimal digits");
      code = code << 4 | static_cast<uint64_t>(value);
    }
    if (code > kLastCode || (code >= 0xD800 && code <= 0xDFFF)) return Bad("this is no character");
    return static_cast<uint32_t>(code);
  }

  std::string_view text_;
  size_t at_ = 0;
  GrammarBuilder builder_;
  std::unordered_map<std::string, Rule> rules_;
};

}  // namespace

Result<std::shared_ptr<const Grammar>> ParseGbnf(std::string_view text) { return Parser(text).Parse(); }

}  // namespace pintle
