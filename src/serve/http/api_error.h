// What a client did wrong, as OpenAI's API says it. Beside base/result.h because an API error names a parameter and a
// code that programs look at, and its status is a promise: a client's fault is never a 5xx, which clients repeat.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace pintle {

/// `param` and `code` may be empty.
struct ApiError {
  int status = 400;
  std::string message, param, code;
};

/// Nothing, or what is wrong.
using MaybeApiError = std::optional<ApiError>;

inline ApiError InvalidValue(std::string param, std::string message) {
  return {400, std::move(message), std::move(param), "invalid_value"};
}
/// What the API has and this server, or this model, has not.
inline ApiError Unsupported(std::string param, std::string message) {
  return {400, std::move(message), std::move(param), "unsupported_value"};
}

}  // namespace pintle
