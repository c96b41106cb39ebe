// Values of the template interpreter. Texts know, byte by byte, whether they come from the template or from outside:
// only what a template wrote itself may become a control token. Not here: what can be done with values (builtins.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace pintle::jinja {

/// A text; trust[i] is 1 where byte i was written by the template. Both have the same length.
struct Text {
  std::string bytes, trust;

  Text() = default;
  Text(std::string_view text, bool trusted) : bytes(text), trust(text.size(), trusted ? 1 : 0) {}
  void Append(const Text& other) {
    bytes += other.bytes;
    trust += other.trust;
  }
  [[nodiscard]] Text Part(size_t at, size_t size) const {
    Text part;
    part.bytes = bytes.substr(at, size);
    part.trust = trust.substr(at, size);
    return part;
  }
};

struct Value;
using List = std::vector<Value>;
using Members = std::vector<std::pair<std::string, Value>>;

/// One value. Lists and objects are shared and do not change, but for namespaces, which `set` writes to; these are
/// never stored inside another value, so nothing refers to itself.
struct Value {
  enum class Kind : uint8_t {
    kUndefined,
    kNone,
    kBool,
    kInteger,
    kReal,
    kText,
    kList,
    kObject,
    kNamespace,
    kMacro,     ///< integer: the node that defines it
    kFunction,  ///< text: the name
    kMethod     ///< text: the name, list: the value that it belongs to
  };
  Kind kind = Kind::kUndefined;
  int64_t integer = 0;  ///< kBool too
  double real = 0;
  std::shared_ptr<const Text> text;
  std::shared_ptr<const List> list;
  std::shared_ptr<Members> members;

  static Value None();
  static Value Of(bool value);
  static Value Of(int64_t value);
  static Value Of(double value);
  static Value Of(Text value);
  static Value Of(List value);
  static Value Of(Members value);
  /// From outside: no text in it is trusted. As deep as ParseJson allows.
  static Value Of(const boost::json::value& value);

  [[nodiscard]] bool Is(Kind other) const { return kind == other; }
  [[nodiscard]] bool IsNumber() const { return kind == Kind::kBool || kind == Kind::kInteger || kind == Kind::kReal; }
  [[nodiscard]] double Number() const { return kind == Kind::kReal ? real : static_cast<double>(integer); }
  /// As Python's truth.
  [[nodiscard]] bool Truth() const;
  /// A member of an object or namespace, or null.
  [[nodiscard]] const Value* Find(std::string_view key) const;
};

}  // namespace pintle::jinja
