// A scanner for the TOML of other people: Cargo.toml and REUSE.toml out of archives. It takes any bytes, in one pass
// and without recursion, and hands out tables and keys; what it does not understand is an error or a value of kind
// kOther. Not for our own settings (base/config.h): it does not check for double keys, dates or number forms. Source:
// the TOML 1.0.0 specification.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pintle {

/// One value, as far as licences and crates need it.
struct TomlValue {
  enum class Kind { kString, kBool, kArray, kOther };
  Kind kind = Kind::kOther;
  std::string text;   ///< kString: the text, escapes other than quote, backslash, newline and tab left as they stand
  bool flag = false;  ///< kBool
  std::vector<std::string> texts;  ///< kArray: its strings, other elements left out
};

/// What a scan calls, in the order of the text.
struct TomlEvents {
  /// [a.b] or [[a.b]]: the name with its parts joined by dots.
  std::function<void(const std::string& table, bool is_array)> table;
  /// KEY = VALUE in the table that was named last; dotted keys joined by dots; an inline table gives its keys one by
  /// one, with the outer key before them ("license.workspace").
  std::function<void(const std::string& key, const TomlValue& value)> key;
};

/// Scans the text; stops at the first line that is no TOML (a validation error with the line). What came before it has
/// been handed out.
Status ScanToml(std::string_view text, const std::string& where, const TomlEvents& events);

}  // namespace pintle
