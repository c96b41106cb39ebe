// The filters, tests and methods of the template interpreter, as Python and Jinja define them, as far as chat templates
// use them. Not here: those that call a macro or look at variables (interpreter.cc).
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/jinja/value.h"

namespace pintle::jinja {

/// What one rendering may still take; every text and list that is made is charged.
struct Budget {
  int64_t steps = 1 << 20;
  int64_t bytes = 64 << 20;
  Status Spend(int64_t step_count, size_t byte_count);
};

/// Arguments of a call: by position, then by name.
struct Arguments {
  std::vector<Value> values;
  std::vector<std::pair<std::string, Value>> named;
  /// The argument of this position or name, or null.
  [[nodiscard]] const Value* Get(size_t position, std::string_view name) const;
};

/// `value | name(arguments)`.
Result<Value> ApplyFilter(std::string_view name, const Value& value, const Arguments& arguments, Budget& budget);
/// `value is name(arguments)`.
Result<bool> ApplyTest(std::string_view name, const Value& value, const Arguments& arguments, Budget& budget);
/// `value.name(arguments)`; no value if there is no such method.
bool HasMethod(const Value& value, std::string_view name);
Result<Value> CallMethod(const Value& value, std::string_view name, const Arguments& arguments, Budget& budget);

/// What a value prints as: str() of Python.
Result<Text> ToText(const Value& value, Budget& budget);
Result<bool> Equal(const Value& a, const Value& b, Budget& budget);
/// `a in b`.
Result<bool> Contains(const Value& a, const Value& b, Budget& budget);
/// a[begin:end:step], by characters for texts; missing parts are nullopt.
Result<Value> Slice(const Value& value, std::optional<int64_t> begin, std::optional<int64_t> end,
                    std::optional<int64_t> step, Budget& budget);
/// a[index]; undefined where there is none.
Result<Value> At(const Value& value, const Value& index);
/// The items that a loop goes over; a validation error for what has none.
Result<List> Items(const Value& value, Budget& budget);

}  // namespace pintle::jinja
