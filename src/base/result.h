// Result<T>, Status and Error: how everything that comes from outside (files, flags, networks, configs) reports
// failure. Our own mistakes are CHECKs (check.h). No exception crosses a header of this project.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace pintle {

/// What kind of failure; the value is the exit status of the program (0 is success, there are no others).
enum class Code : int { kUsage = 1, kConfig = 2, kRuntime = 3, kValidation = 4 };

/// A failure: what went wrong, where (file, line, key, URL; may be empty) and a hint with the next command (may be
/// empty). Sentences start in lower case and have no final period.
struct Error {
  Code code = Code::kRuntime;
  std::string what;
  std::string where;
  std::string hint;

  /// One line: "where: what", or "what" alone where there is no place; without the hint.
  [[nodiscard]] std::string Message() const { return where.empty() ? what : where + ": " + what; }
};

inline Error UsageError(std::string what, std::string where = {}, std::string hint = {}) {
  return {Code::kUsage, std::move(what), std::move(where), std::move(hint)};
}
inline Error ConfigError(std::string what, std::string where = {}, std::string hint = {}) {
  return {Code::kConfig, std::move(what), std::move(where), std::move(hint)};
}
inline Error RuntimeError(std::string what, std::string where = {}, std::string hint = {}) {
  return {Code::kRuntime, std::move(what), std::move(where), std::move(hint)};
}
inline Error ValidationError(std::string what, std::string where = {}, std::string hint = {}) {
  return {Code::kValidation, std::move(what), std::move(where), std::move(hint)};
}

/// A value or an Error.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

/// Success, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  const Error& error() const& { return *error_; }
  Error&& error() && { return *std::move(error_); }

 private:
  std::optional<Error> error_;
};
using Status = Result<void>;

}  // namespace pintle

/// Returns the error of a Status or Result expression from the enclosing function.
#define PINTLE_RETURN_IF_ERROR(expression)                        \
  do {                                                            \
    if (auto pintle_status = (expression); !pintle_status.ok()) { \
      return std::move(pintle_status).error();                    \
    }                                                             \
  } while (false)

/// PINTLE_ASSIGN(auto x, Read(path)): declares or assigns x, or returns the error.
#define PINTLE_ASSIGN(lhs, expression) PINTLE_ASSIGN_(PINTLE_CONCAT_(pintle_result_, __LINE__), lhs, expression)
#define PINTLE_ASSIGN_(temporary, lhs, expression)          \
  auto temporary = (expression);                            \
  if (!temporary.ok()) return std::move(temporary).error(); \
  lhs = std::move(temporary).value()
#define PINTLE_CONCAT_(a, b) PINTLE_CONCAT_INNER_(a, b)
#define PINTLE_CONCAT_INNER_(a, b) a##b
