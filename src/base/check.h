// PINTLE_CHECK: our own mistakes stop the program with a place and a message. Never for input from outside (result.h).
#pragma once

#include <string>

namespace pintle {

/// Prints "file:line: check failed: condition: message" to stderr and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, const std::string& message);

}  // namespace pintle

/// PINTLE_CHECK(a == b, fmt::format("got {} and {}", a, b)): the message is only built on failure.
#define PINTLE_CHECK(condition, message)                                                \
  do {                                                                                  \
    if (!(condition)) ::pintle::CheckFailed(__FILE__, __LINE__, #condition, (message)); \
  } while (false)
