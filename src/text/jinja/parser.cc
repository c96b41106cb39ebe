#include "text/jinja/parser.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

namespace pintle::jinja {
namespace {

using Kind = Node::Kind;

struct Token {
  enum class Kind : uint8_t { kText, kName, kString, kInteger, kReal, kSign, kBegin, kEnd, kDone };
  Kind kind = Kind::kDone;
  std::string text;  // kBegin and kEnd: "{{" or "{%", whatever their dashes
  size_t at = 0;
};

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

Error BadAt(std::string_view text, size_t at, const std::string& what) {
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  return ValidationError(what, "template:" + std::to_string(line));
}

// Cuts a template into texts and the tokens of its tags.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> Run() {
    while (at_ < text_.size()) {
      PINTLE_RETURN_IF_ERROR(Outside());
    }
    tokens_.push_back({Token::Kind::kDone, "", text_.size()});
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] bool At(std::string_view word) const { return text_.substr(at_).starts_with(word); }

  // Text up to the next tag, and the tag.
  Status Outside() {
    const auto opens = [&](size_t at) { return text_[at + 1] == '{' || text_[at + 1] == '%' || text_[at + 1] == '#'; };
    size_t open = text_.find('{', at_);
    while (open != std::string_view::npos && open + 1 < text_.size() && !opens(open)) open = text_.find('{', open + 1);
    if (open == std::string_view::npos || open + 1 >= text_.size()) open = text_.size();
    std::string_view plain = text_.substr(at_, open - at_);
    const bool tag = open < text_.size();
    if (trim_all_) {
      while (!plain.empty() && IsSpace(plain.front())) plain.remove_prefix(1);
    } else if (trim_line_ && plain.starts_with('\n')) {
      plain.remove_prefix(1);
    }
    at_ = open;
    trim_all_ = trim_line_ = false;
    if (tag) {
      const char sign = open + 2 < text_.size() ? text_[open + 2] : '\0';
      if (sign == '-') {
        while (!plain.empty() && IsSpace(plain.back())) plain.remove_suffix(1);
      } else if (text_[open + 1] != '{' && sign != '+') {
        // A tag alone at the beginning of its line takes the blanks before it along.
        const size_t line = plain.find_last_not_of(" \t");
        const bool first =
            line == std::string_view::npos && (open == plain.size() || text_[open - plain.size() - 1] == '\n');
        if (first)
          plain = {};
        else if (line != std::string_view::npos && plain[line] == '\n')
          plain = plain.substr(0, line + 1);
      }
    }
    if (!plain.empty()) tokens_.push_back({Token::Kind::kText, std::string(plain), at_});
    if (!tag) return {};
    if (text_[open + 1] == '#') return Comment();
    return Tag();
  }

  Status Comment() {
    const size_t end = text_.find("#}", at_ + 2);
    if (end == std::string_view::npos) return BadAt(text_, at_, "a comment is not closed");
    trim_all_ = text_[end - 1] == '-';
    trim_line_ = true;
    at_ = end + 2;
    return {};
  }

  Status Tag() {
    const size_t begin = at_;
    const bool output = text_[at_ + 1] == '{';
    tokens_.push_back({Token::Kind::kBegin, output ? "{{" : "{%", at_});
    at_ += 2;
    if (At("-") || At("+")) ++at_;
    const std::string_view close = output ? "}}" : "%}";
    int open = 0;  // braces of the expression
    while (true) {
      while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
      if (at_ >= text_.size()) return BadAt(text_, begin, "a tag is not closed");
      const bool dash = At("-") && text_.substr(at_ + 1).starts_with(close);
      if (dash || (open == 0 && At(close))) {
        tokens_.push_back({Token::Kind::kEnd, output ? "{{" : "{%", at_});
        at_ += close.size() + (dash ? 1 : 0);
        trim_all_ = dash;
        trim_line_ = !output;
        return {};
      }
      if (At("{")) ++open;
      if (At("}")) --open;
      PINTLE_RETURN_IF_ERROR(Inside());
    }
  }

  // One token of a tag.
  Status Inside() {
    const size_t begin = at_;
    const char c = text_[at_];
    if (IsLetter(c)) {
      while (at_ < text_.size() && (IsLetter(text_[at_]) || IsDigit(text_[at_]))) ++at_;
      tokens_.push_back({Token::Kind::kName, std::string(text_.substr(begin, at_ - begin)), begin});
      return {};
    }
    if (IsDigit(c)) {
      while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
      const bool real = at_ + 1 < text_.size() && text_[at_] == '.' && IsDigit(text_[at_ + 1]);
      if (real) ++at_;
      while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
      tokens_.push_back(
          {real ? Token::Kind::kReal : Token::Kind::kInteger, std::string(text_.substr(begin, at_ - begin)), begin});
      return {};
    }
    if (c == '"' || c == '\'') return String(c);
    for (const std::string_view sign : {"==", "!=", "<=", ">=", "//", "**"}) {
      if (!At(sign)) continue;
      at_ += sign.size();
      tokens_.push_back({Token::Kind::kSign, std::string(sign), begin});
      return {};
    }
    if (std::string_view("+-*/%~<>=()[]{},:.|").find(c) == std::string_view::npos) {
      return BadAt(text_, at_, "a character that means nothing in a tag");
    }
    ++at_;
    tokens_.push_back({Token::Kind::kSign, std::string(1, c), begin});
    return {};
  }

  Status String(char quote) {
    Token token = {Token::Kind::kString, "", at_};
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] != '\\' || at_ + 1 == text_.size()) {
        token.text += text_[at_];
        continue;
      }
      const char c = text_[++at_];
      switch (c) {
        case 'n':
          token.text += '\n';
          break;
        case 't':
          token.text += '\t';
          break;
        case 'r':
          token.text += '\r';
          break;
        case '\\':
        case '\'':
        case '"':
          token.text += c;
          break;
        default:
          token.text += '\\';
          token.text += c;
      }
    }
    if (at_ >= text_.size()) return BadAt(text_, token.at, "a string is not closed");
    ++at_;
    tokens_.push_back(std::move(token));
    return {};
  }

  std::string_view text_;
  size_t at_ = 0;
  bool trim_all_ = false, trim_line_ = false;  // of the text behind the last tag
  std::vector<Token> tokens_;
};

// Recursive descent; the depth is limited.
class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens) : text_(text), tokens_(std::move(tokens)) {}

  Result<Tree> Run() {
    PINTLE_ASSIGN(tree_.root, Block({}));
    if (Now().kind != Token::Kind::kDone) return Bad("a block ends that was not begun");
    return std::move(tree_);
  }

 private:
  [[nodiscard]] const Token& Now() const { return tokens_[at_]; }
  [[nodiscard]] const Token& Ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  [[nodiscard]] Error Bad(const std::string& what) const { return BadAt(text_, Now().at, what); }
  [[nodiscard]] bool IsSign(std::string_view sign) const {
    return Now().kind == Token::Kind::kSign && Now().text == sign;
  }
  [[nodiscard]] bool IsWord(std::string_view word) const {
    return Now().kind == Token::Kind::kName && Now().text == word;
  }
  bool EatSign(std::string_view sign) { return IsSign(sign) && ++at_ != 0; }
  bool EatWord(std::string_view word) { return IsWord(word) && ++at_ != 0; }
  Status Expect(std::string_view sign) {
    if (EatSign(sign)) return {};
    return Bad("here '" + std::string(sign) + "' should stand");
  }
  Status EndTag() {
    if (Now().kind != Token::Kind::kEnd) return Bad("here the tag should end");
    ++at_;
    return {};
  }
  Result<std::string> Name() {
    if (Now().kind != Token::Kind::kName) return Bad("here a name should stand");
    return tokens_[at_++].text;
  }
  int32_t Add(Kind kind, std::vector<int32_t> kids = {}, std::string text = {}) {
    Node& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.kids = std::move(kids);
    node.text = std::move(text);
    return static_cast<int32_t>(tree_.nodes.size()) - 1;
  }
  int32_t Constant(Value value) {
    const int32_t id = Add(Kind::kConstant);
    tree_.nodes.back().constant = std::move(value);
    return id;
  }
  Node& At(int32_t id) { return tree_.nodes[static_cast<size_t>(id)]; }

  // Counts how deep the parser is.
  struct Deeper {
    explicit Deeper(int& depth) : depth_(depth) { ++depth_; }
    ~Deeper() { --depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    int& depth_;
  };

  // Statements up to a tag that begins with one of `ends`, whose word is left to be read.
  Result<int32_t> Block(std::initializer_list<std::string_view> ends) {
    const Deeper deeper(depth_);
    if (depth_ > kMaxNesting) return Bad("blocks are nested too deep");
    std::vector<int32_t> kids;
    while (Now().kind != Token::Kind::kDone) {
      if (Now().kind == Token::Kind::kText) {
        kids.push_back(Add(Kind::kOutput, {Constant(Value::Of(Text(tokens_[at_++].text, true)))}));
        continue;
      }
      const bool output = Now().text == "{{";
      ++at_;
      if (output) {
        PINTLE_ASSIGN(const int32_t value, Expression());
        PINTLE_RETURN_IF_ERROR(EndTag());
        kids.push_back(Add(Kind::kOutput, {value}));
        continue;
      }
      if (std::find(ends.begin(), ends.end(), Now().text) != ends.end()) break;
      PINTLE_ASSIGN(const int32_t statement, Statement());
      kids.push_back(statement);
    }
    if (ends.size() > 0 && Now().kind == Token::Kind::kDone) return Bad("a block is not closed");
    return Add(Kind::kBlock, std::move(kids));
  }

  Result<int32_t> Statement() {
    PINTLE_ASSIGN(const std::string word, Name());
    if (word == "if") return If();
    if (word == "for") return For();
    if (word == "set") return Set();
    if (word == "macro") return Macro();
    if (word == "generation") {
      PINTLE_RETURN_IF_ERROR(EndTag());
      return BlockUntil("endgeneration");
    }
    if (word == "break" || word == "continue") {
      PINTLE_RETURN_IF_ERROR(EndTag());
      return Add(word == "break" ? Kind::kBreak : Kind::kContinue);
    }
    return Bad("the tag '" + word + "' is not known here");
  }

  Result<int32_t> BlockUntil(std::string_view end) {
    PINTLE_ASSIGN(const int32_t body, Block({end}));
    ++at_;
    PINTLE_RETURN_IF_ERROR(EndTag());
    return body;
  }

  Result<int32_t> If() {
    std::vector<int32_t> kids;
    while (true) {
      PINTLE_ASSIGN(const int32_t condition, Expression());
      PINTLE_RETURN_IF_ERROR(EndTag());
      PINTLE_ASSIGN(const int32_t body, Block({"elif", "else", "endif"}));
      kids.insert(kids.end(), {condition, body});
      const std::string word = tokens_[at_++].text;
      if (word == "elif") continue;
      PINTLE_RETURN_IF_ERROR(EndTag());
      if (word == "else") {
        PINTLE_ASSIGN(const int32_t other, BlockUntil("endif"));
        kids.push_back(other);
      }
      return Add(Kind::kIf, std::move(kids));
    }
  }

  Result<int32_t> For() {
    std::vector<std::string> names;
    do {
      PINTLE_ASSIGN(std::string name, Name());
      names.push_back(std::move(name));
    } while (EatSign(","));
    if (!EatWord("in")) return Bad("a for without in");
    PINTLE_ASSIGN(const int32_t list, Or());
    int32_t filter = -1, other = -1;
    if (EatWord("if")) {
      PINTLE_ASSIGN(filter, Expression());
    }
    PINTLE_RETURN_IF_ERROR(EndTag());
    PINTLE_ASSIGN(const int32_t body, Block({"else", "endfor"}));
    const std::string word = tokens_[at_++].text;
    PINTLE_RETURN_IF_ERROR(EndTag());
    if (word == "else") {
      PINTLE_ASSIGN(other, BlockUntil("endfor"));
    }
    const int32_t id = Add(Kind::kFor, {list, filter, body, other});
    At(id).names = std::move(names);
    return id;
  }

  Result<int32_t> Set() {
    std::vector<std::string> names;
    std::string attribute;
    do {
      PINTLE_ASSIGN(std::string name, Name());
      names.push_back(std::move(name));
    } while (EatSign(","));
    if (names.size() == 1 && EatSign(".")) {
      PINTLE_ASSIGN(attribute, Name());
    }
    Kind kind = Kind::kSet;
    int32_t value = -1;
    if (EatSign("=")) {
      PINTLE_ASSIGN(value, Sequence());
      PINTLE_RETURN_IF_ERROR(EndTag());
    } else {
      kind = Kind::kSetBlock;
      PINTLE_RETURN_IF_ERROR(EndTag());
      PINTLE_ASSIGN(value, BlockUntil("endset"));
    }
    const int32_t id = Add(kind, {value}, std::move(attribute));
    At(id).names = std::move(names);
    return id;
  }

  Result<int32_t> Macro() {
    PINTLE_ASSIGN(std::string name, Name());
    PINTLE_RETURN_IF_ERROR(Expect("("));
    std::vector<std::string> names;
    std::vector<int32_t> kids;
    while (!EatSign(")")) {
      if (!names.empty()) PINTLE_RETURN_IF_ERROR(Expect(","));
      PINTLE_ASSIGN(std::string parameter, Name());
      names.push_back(std::move(parameter));
      kids.push_back(-1);
      if (EatSign("=")) {
        PINTLE_ASSIGN(kids.back(), Expression());
      }
    }
    PINTLE_RETURN_IF_ERROR(EndTag());
    PINTLE_ASSIGN(const int32_t body, BlockUntil("endmacro"));
    kids.push_back(body);
    const int32_t id = Add(Kind::kMacro, std::move(kids), std::move(name));
    At(id).names = std::move(names);
    return id;
  }

  // a, b, c is a list.
  Result<int32_t> Sequence() {
    PINTLE_ASSIGN(const int32_t first, Expression());
    if (!IsSign(",")) return first;
    std::vector<int32_t> kids = {first};
    while (EatSign(",")) {
      PINTLE_ASSIGN(const int32_t next, Expression());
      kids.push_back(next);
    }
    return Add(Kind::kList, std::move(kids));
  }

  Result<int32_t> Expression() {
    const Deeper deeper(depth_);
    if (depth_ > kMaxNesting) return Bad("expressions are nested too deep");
    PINTLE_ASSIGN(const int32_t value, Or());
    if (!EatWord("if")) return value;
    PINTLE_ASSIGN(const int32_t condition, Or());
    int32_t other = -1;
    if (EatWord("else")) {
      PINTLE_ASSIGN(other, Expression());
    }
    return Add(Kind::kConditional, {value, condition, other});
  }

  Result<int32_t> Or() {
    PINTLE_ASSIGN(int32_t left, And());
    while (EatWord("or")) {
      PINTLE_ASSIGN(const int32_t right, And());
      left = Add(Kind::kBinary, {left, right}, "or");
    }
    return left;
  }

  Result<int32_t> And() {
    PINTLE_ASSIGN(int32_t left, Not());
    while (EatWord("and")) {
      PINTLE_ASSIGN(const int32_t right, Not());
      left = Add(Kind::kBinary, {left, right}, "and");
    }
    return left;
  }

  Result<int32_t> Not() {
    bool negated = false;
    while (EatWord("not")) negated = !negated;
    PINTLE_ASSIGN(const int32_t value, Compare());
    return negated ? Add(Kind::kNot, {value}) : value;
  }

  Result<int32_t> Compare() {
    PINTLE_ASSIGN(int32_t left, Math(0));
    while (true) {
      const bool not_in = IsWord("not") && Ahead().kind == Token::Kind::kName && Ahead().text == "in";
      std::string sign;
      for (const std::string_view known : {"==", "!=", "<=", ">=", "<", ">"}) {
        if (IsSign(known)) sign = known;
      }
      if (not_in || IsWord("in")) sign = "in";
      if (sign.empty()) return left;
      at_ += not_in ? 2 : 1;
      PINTLE_ASSIGN(const int32_t right, Math(0));
      left = Add(Kind::kBinary, {left, right}, std::move(sign));
      if (not_in) left = Add(Kind::kNot, {left});
    }
  }

  // Operators of the same strength from left to right: + -, then ~, then * / // %.
  Result<int32_t> Math(size_t level) {
    static const std::vector<std::vector<std::string_view>> kLevels = {{"+", "-"}, {"~"}, {"*", "/", "//", "%"}};
    if (level == kLevels.size()) return Unary();
    PINTLE_ASSIGN(int32_t left, Math(level + 1));
    while (Now().kind == Token::Kind::kSign &&
           std::find(kLevels[level].begin(), kLevels[level].end(), Now().text) != kLevels[level].end()) {
      std::string sign = tokens_[at_++].text;
      PINTLE_ASSIGN(const int32_t right, Math(level + 1));
      left = Add(Kind::kBinary, {left, right}, std::move(sign));
    }
    return left;
  }

  Result<int32_t> Unary() {
    if (EatSign("-")) {
      PINTLE_ASSIGN(const int32_t value, Postfix());
      return Add(Kind::kNegative, {value});
    }
    return Postfix();
  }

  Result<int32_t> Primary() {
    const Token& token = Now();
    switch (token.kind) {
      case Token::Kind::kString: {
        std::string all;
        while (Now().kind == Token::Kind::kString) all += tokens_[at_++].text;
        return Constant(Value::Of(Text(all, true)));
      }
      case Token::Kind::kInteger: {
        int64_t value = 0;
        const auto [end, error] = std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
        if (error != std::errc()) return Bad("a number is too large");
        ++at_;
        return Constant(Value::Of(value));
      }
      case Token::Kind::kReal:
        return Constant(Value::Of(std::strtod(tokens_[at_++].text.c_str(), nullptr)));
      case Token::Kind::kName: {
        const std::string name = tokens_[at_++].text;
        if (name == "true" || name == "True") return Constant(Value::Of(true));
        if (name == "false" || name == "False") return Constant(Value::Of(false));
        if (name == "none" || name == "None") return Constant(Value::None());
        return Add(Kind::kName, {}, name);
      }
      default:
        break;
    }
    if (EatSign("(")) {
      PINTLE_ASSIGN(const int32_t value, Sequence());
      PINTLE_RETURN_IF_ERROR(Expect(")"));
      return value;
    }
    std::vector<int32_t> kids;
    if (EatSign("[")) {
      while (!EatSign("]")) {
        if (!kids.empty()) {
          PINTLE_RETURN_IF_ERROR(Expect(","));
          if (EatSign("]")) break;
        }
        PINTLE_ASSIGN(const int32_t item, Expression());
        kids.push_back(item);
      }
      return Add(Kind::kList, std::move(kids));
    }
    if (EatSign("{")) {
      while (!EatSign("}")) {
        if (!kids.empty()) {
          PINTLE_RETURN_IF_ERROR(Expect(","));
          if (EatSign("}")) break;
        }
        PINTLE_ASSIGN(const int32_t key, Expression());
        PINTLE_RETURN_IF_ERROR(Expect(":"));
        PINTLE_ASSIGN(const int32_t value, Expression());
        kids.insert(kids.end(), {key, value});
      }
      return Add(Kind::kObject, std::move(kids));
    }
    return Bad("here a value should stand");
  }

  // What follows a value: .name [index] (arguments) | filter, is test.
  Result<int32_t> Postfix() {
    PINTLE_ASSIGN(int32_t value, Primary());
    for (int links = 0;; ++links) {
      // Each link becomes a level of the tree.
      if (links > kMaxNesting) return Bad("a value is followed by too much");
      if (EatSign(".")) {
        PINTLE_ASSIGN(std::string name, Name());
        value = Add(Kind::kAttribute, {value}, std::move(name));
      } else if (EatSign("[")) {
        PINTLE_ASSIGN(value, Index(value));
      } else if (IsSign("(")) {
        value = Add(Kind::kCall, {value});
        PINTLE_RETURN_IF_ERROR(Arguments(value));
      } else if (EatSign("|")) {
        PINTLE_ASSIGN(std::string name, Name());
        value = Add(Kind::kFilter, {value}, std::move(name));
        if (IsSign("(")) PINTLE_RETURN_IF_ERROR(Arguments(value));
      } else if (EatWord("is")) {
        const bool negated = EatWord("not");
        PINTLE_ASSIGN(std::string name, Name());
        value = Add(Kind::kTest, {value}, std::move(name));
        if (IsSign("(")) {
          PINTLE_RETURN_IF_ERROR(Arguments(value));
        } else if (Now().kind == Token::Kind::kString || Now().kind == Token::Kind::kInteger) {
          const int32_t test = value;
          PINTLE_ASSIGN(const int32_t argument, Primary());
          At(test).kids.push_back(argument);
          At(test).names.emplace_back();
        }
        if (negated) value = Add(Kind::kNot, {value});
      } else {
        return value;
      }
    }
  }

  Result<int32_t> Index(int32_t value) {
    std::vector<int32_t> kids = {value, -1, -1, -1};
    size_t part = 1;
    bool slice = false;
    while (!EatSign("]")) {
      if (EatSign(":")) {
        slice = true;
        if (++part > 3) return Bad("a slice has at most three parts");
      } else if (kids[part] < 0) {
        PINTLE_ASSIGN(kids[part], Expression());
      } else {
        return Bad("here ']' should stand");
      }
    }
    if (slice) return Add(Kind::kSlice, std::move(kids));
    if (kids[1] < 0) return Bad("an index is missing");
    kids.resize(2);
    return Add(Kind::kIndex, std::move(kids));
  }

  // Adds the arguments in parentheses to a call, filter or test.
  Status Arguments(int32_t id) {
    PINTLE_RETURN_IF_ERROR(Expect("("));
    bool first = true;
    while (!EatSign(")")) {
      if (!first) {
        PINTLE_RETURN_IF_ERROR(Expect(","));
        if (EatSign(")")) break;
      }
      first = false;
      std::string name;
      if (Now().kind == Token::Kind::kName && Ahead().kind == Token::Kind::kSign && Ahead().text == "=") {
        name = Now().text;
        at_ += 2;
      }
      PINTLE_ASSIGN(const int32_t value, Expression());
      At(id).kids.push_back(value);
      At(id).names.push_back(std::move(name));
    }
    return {};
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  Tree tree_;
};

}  // namespace

Result<Tree> Parse(std::string_view text) {
  if (text.size() > kMaxTemplate) {
    return ValidationError("a template has at most " + std::to_string(kMaxTemplate) + " bytes", "template");
  }
  PINTLE_ASSIGN(std::vector<Token> tokens, Lexer(text).Run());
  return Parser(text, std::move(tokens)).Run();
}

}  // namespace pintle::jinja
