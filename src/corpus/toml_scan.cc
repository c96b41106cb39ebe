#include "corpus/toml_scan.h"

#include <algorithm>
#include <cctype>

namespace pintle {
namespace {

constexpr int kMaxDepth = 64;

bool IsBare(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-'; }

class Scanner {
 public:
  Scanner(std::string_view text, const TomlEvents& events) : text_(text), events_(events) {}

  // False at the first thing that is no TOML; Line() says where.
  bool Run() {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
    while (true) {
      SkipSpace(true);
      if (at_ >= text_.size()) return true;
      if (!(text_[at_] == '[' ? Table() : KeyValue(""))) return false;
      SkipSpace(false);
      if (at_ < text_.size() && text_[at_] != '\n') return false;
    }
  }
  [[nodiscard]] int64_t Line() const {
    return 1 + std::count(text_.begin(), text_.begin() + static_cast<int64_t>(std::min(at_, text_.size())), '\n');
  }

 private:
  [[nodiscard]] bool Is(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool Take(char c) {
    if (!Is(c)) return false;
    ++at_;
    return true;
  }
  // Blanks and comments, line ends too if `lines`.
  void SkipSpace(bool lines) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == ' ' || c == '\t' || c == '\r' || (lines && c == '\n')) {
        ++at_;
      } else {
        return;
      }
    }
  }

  bool Table() {
    ++at_;
    const bool is_array = Take('[');
    std::string name;
    if (!Key(name) || !Take(']') || (is_array && !Take(']'))) return false;
    events_.table(name, is_array);
    return true;
  }

  // a.b."c d", blanks allowed around the parts.
  bool Key(std::string& name) {
    while (true) {
      SkipSpace(false);
      if (Is('"') || Is('\'')) {
        std::string part;
        if (!String(part)) return false;
        name += part;
      } else {
        const size_t begin = at_;
        while (at_ < text_.size() && IsBare(text_[at_])) ++at_;
        if (at_ == begin) return false;
        name += text_.substr(begin, at_ - begin);
      }
      SkipSpace(false);
      if (!Take('.')) return true;
      name += '.';
    }
  }

  bool KeyValue(const std::string& outer) {
    std::string name = outer;
    if (!Key(name) || !Take('=')) return false;
    SkipSpace(false);
    if (Is('{')) return InlineTable(name + ".");
    TomlValue value;
    if (Is('[')) {
      value.kind = TomlValue::Kind::kArray;
      if (!Group(value.texts)) return false;
    } else if (!Scalar(value)) {
      return false;
    }
    events_.key(name, value);
    return true;
  }

  // One level is read key by key; what lies in inline tables or arrays inside it is passed over.
  bool InlineTable(const std::string& outer) {
    ++at_;
    while (true) {
      SkipSpace(true);
      if (Take('}')) return true;
      std::string name = outer;
      if (!Key(name) || !Take('=')) return false;
      SkipSpace(true);
      if (Is('{') || Is('[')) {
        std::vector<std::string> ignored;
        if (!Group(ignored)) return false;
      } else {
        TomlValue value;
        if (!Scalar(value)) return false;
        events_.key(name, value);
      }
      SkipSpace(true);
      if (!Take(',') && !Is('}')) return false;
    }
  }

  // From an opening bracket to the one that closes it; the strings of the outermost level are collected.
  bool Group(std::vector<std::string>& texts) {
    std::string open;
    while (at_ < text_.size()) {
      SkipSpace(true);
      if (at_ >= text_.size()) return false;
      const char c = text_[at_];
      if (c == '[' || c == '{') {
        if (open.size() >= kMaxDepth) return false;
        open += c;
        ++at_;
      } else if (c == ']' || c == '}') {
        if (open.back() != (c == ']' ? '[' : '{')) return false;
        open.pop_back();
        ++at_;
        if (open.empty()) return true;
      } else if (c == '"' || c == '\'') {
        std::string text;
        if (!String(text)) return false;
        if (open == "[") texts.push_back(std::move(text));
      } else {
        ++at_;
      }
    }
    return false;
  }

  bool Scalar(TomlValue& value) {
    if (Is('"') || Is('\'')) {
      value.kind = TomlValue::Kind::kString;
      return String(value.text);
    }
    const size_t begin = at_;
    while (at_ < text_.size() && std::string_view(",]}#\r\n").find(text_[at_]) == std::string_view::npos) ++at_;
    std::string_view word = text_.substr(begin, at_ - begin);
    while (!word.empty() && (word.back() == ' ' || word.back() == '\t')) word.remove_suffix(1);
    if (word == "true" || word == "false") {
      value.kind = TomlValue::Kind::kBool;
      value.flag = word == "true";
    }
    return !word.empty();
  }

  // Basic or literal, on one line or several.
  bool String(std::string& out) {
    const char quote = text_[at_];
    const std::string_view triple = quote == '"' ? "\"\"\"" : "'''";
    const bool multi = text_.substr(at_).starts_with(triple);
    at_ += multi ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (multi ? text_.substr(at_).starts_with(triple) : c == quote) {
        at_ += multi ? 3 : 1;
        return true;
      }
      if (c == '\n' && !multi) return false;
      if (c == '\\' && quote == '"' && at_ + 1 < text_.size()) {
        const char next = text_[++at_];
        if (next != '"' && next != '\\' && next != 'n' && next != 't') out += '\\';
        out += next == 'n' ? '\n' : next == 't' ? '\t' : next;
      } else {
        out += c;
      }
      ++at_;
    }
    return false;
  }

  std::string_view text_;
  const TomlEvents& events_;
  size_t at_ = 0;
};

}  // namespace

Status ScanToml(std::string_view text, const std::string& where, const TomlEvents& events) {
  Scanner scanner(text, events);
  if (scanner.Run()) return {};
  return ValidationError("not TOML", where + ":" + std::to_string(scanner.Line()));
}

}  // namespace pintle
