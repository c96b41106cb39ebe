#include "serve/gateway/model_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/hash.h"

namespace pintle {
namespace {

constexpr size_t kMaxDepth = 64, kMaxKeys = 256, kMaxName = 256;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void AppendUtf8(uint32_t point, std::string& text) {
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xc0 | point >> 6);
    text += static_cast<char>(0x80 | (point & 63));
  } else if (point < 0x10000) {
    text += static_cast<char>(0xe0 | point >> 12);
    text += static_cast<char>(0x80 | (point >> 6 & 63));
    text += static_cast<char>(0x80 | (point & 63));
  } else {
    text += static_cast<char>(0xf0 | point >> 18);
    text += static_cast<char>(0x80 | (point >> 12 & 63));
    text += static_cast<char>(0x80 | (point >> 6 & 63));
    text += static_cast<char>(0x80 | (point & 63));
  }
}

// Walks the text. Each Skip... leaves position_ behind what it read, or says false.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Result<ScannedRequest> Run() {
    ScannedRequest request;
    SkipSpace();
    if (!Take('{')) return Invalid("the body is no JSON object");
    SkipSpace();
    std::vector<std::string> keys;
    bool more = !Take('}');
    while (more) {
      std::string key;
      SkipSpace();
      if (!SkipString(&key)) return Invalid("the body is no valid JSON");
      if (std::find(keys.begin(), keys.end(), key) != keys.end()) {
        return Invalid(fmt::format("the key \"{}\" stands twice in the body", key.substr(0, 64)));
      }
      if (keys.size() == kMaxKeys) return Invalid(fmt::format("the body has more than {} keys", kMaxKeys));
      keys.push_back(key);
      SkipSpace();
      if (!Take(':')) return Invalid("the body is no valid JSON");
      SkipSpace();
      const size_t begin = position_;
      if (key == "model") {
        if (!SkipString(&request.model)) return ValidationError("model is a string", "model");
        if (request.model.size() > kMaxName) return ValidationError("model is too long for a name", "model");
      } else if (!SkipValue()) {
        return Invalid(too_deep_ ? fmt::format("the body is nested deeper than {}", kMaxDepth)
                                 : "the body is no valid JSON");
      }
      if (key == "messages" || key == "prompt" || key == "input_prefix") {
        request.prefix_hash = Fnv1a(text_.substr(begin, std::min(kStickyBytes, position_ - begin)));
      }
      SkipSpace();
      more = Take(',');
      if (!more && !Take('}')) return Invalid("the body is no valid JSON");
    }
    SkipSpace();
    if (position_ != text_.size()) return Invalid("there is more than one JSON value in the body");
    return request;
  }

 private:
  Error Invalid(std::string what) const { return ValidationError(fmt::format("{} (byte {})", what, position_)); }
  char Peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }
  bool Take(char c) {
    if (Peek() != c || position_ == text_.size()) return false;
    ++position_;
    return true;
  }
  void SkipSpace() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n' ||
                                        text_[position_] == '\t' || text_[position_] == '\r')) {
      ++position_;
    }
  }

  // The four digits behind \u.
  bool TakeHex4(uint32_t& value) {
    if (text_.size() - position_ < 4) return false;
    value = 0;
    for (int i = 0; i < 4; ++i) {
      const int digit = HexDigit(text_[position_++]);
      if (digit < 0) return false;
      value = value << 4 | static_cast<uint32_t>(digit);
    }
    return true;
  }

  bool SkipEscape(std::string* out) {
    static constexpr std::string_view kNames = "\"\\/bfnrt", kBytes = "\"\\/\b\f\n\r\t";
    if (position_ == text_.size()) return false;
    const char name = text_[position_++];
    if (const size_t at = kNames.find(name); at != std::string_view::npos) {
      if (out != nullptr) *out += kBytes[at];
      return true;
    }
    uint32_t point = 0, low = 0;
    if (name != 'u' || !TakeHex4(point)) return false;
    if (point >= 0xdc00 && point < 0xe000) return false;
    if (point >= 0xd800 && point < 0xdc00) {
      if (!Take('\\') || !Take('u') || !TakeHex4(low) || low < 0xdc00 || low >= 0xe000) return false;
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    }
    if (out != nullptr) AppendUtf8(point, *out);
    return true;
  }

  // `out`, if given, gets the text without escapes, cut a little behind kMaxName.
  bool SkipString(std::string* out) {
    if (!Take('"')) return false;
    while (position_ < text_.size()) {
      const char c = text_[position_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      std::string* wanted = out != nullptr && out->size() <= kMaxName ? out : nullptr;
      if (c == '\\') {
        if (!SkipEscape(wanted)) return false;
      } else if (wanted != nullptr) {
        *wanted += c;
      }
    }
    return false;
  }

  bool SkipDigits() {
    const size_t begin = position_;
    while (IsDigit(Peek())) ++position_;
    return position_ > begin;
  }
  bool SkipNumber() {
    Take('-');
    if (!Take('0') && !SkipDigits()) return false;
    if (Take('.') && !SkipDigits()) return false;
    if (Take('e') || Take('E')) {
      if (!Take('+')) Take('-');
      return SkipDigits();
    }
    return true;
  }
  bool SkipWord(std::string_view word) {
    if (text_.substr(position_, word.size()) != word) return false;
    position_ += word.size();
    return true;
  }
  bool SkipScalar() {
    switch (Peek()) {
      case '"':
        return SkipString(nullptr);
      case 't':
        return SkipWord("true");
      case 'f':
        return SkipWord("false");
      case 'n':
        return SkipWord("null");
      default:
        return SkipNumber();
    }
  }

  // A whole value; brackets still open are kept in a fixed array.
  bool SkipValue() {
    std::array<char, kMaxDepth> closing{};
    size_t depth = 0;
    while (true) {
      SkipSpace();
      const char c = Peek();
      if (c == '{' || c == '[') {
        // The object around it is a level too.
        if (depth + 1 == kMaxDepth) {
          too_deep_ = true;
          return false;
        }
        ++position_;
        closing[depth++] = c == '{' ? '}' : ']';
        SkipSpace();
        if (Peek() != closing[depth - 1]) {
          if (c == '{' && !SkipKey()) return false;
          continue;
        }
      } else if (!SkipScalar()) {
        return false;
      }
      // Behind a value, or before the end of an empty one.
      while (true) {
        if (depth == 0) return true;
        SkipSpace();
        if (!Take(closing[depth - 1])) break;
        --depth;
      }
      if (!Take(',')) return false;
      SkipSpace();
      if (closing[depth - 1] == '}' && !SkipKey()) return false;
    }
  }
  bool SkipKey() {
    if (!SkipString(nullptr)) return false;
    SkipSpace();
    return Take(':');
  }

  std::string_view text_;
  size_t position_ = 0;
  bool too_deep_ = false;
};

}  // namespace

Result<ScannedRequest> ScanRequest(std::string_view body) { return Scanner(body).Run(); }

}  // namespace pintle
