// toml++ as this program includes it, in .cc files only. Version 3.3 asserts on some malformed texts ("a = ," among
// them); here a failed assertion is an exception that the one place that parses (config.cc) turns into an error.
#pragma once

namespace pintle {

struct TomlAssertion {};  ///< thrown from inside the parser
[[noreturn]] inline void FailTomlAssertion() { throw TomlAssertion(); }

}  // namespace pintle

#define TOML_EXCEPTIONS 0
#define TOML_ASSERT(condition) (static_cast<bool>(condition) ? static_cast<void>(0) : ::pintle::FailTomlAssertion())
#include <toml++/toml.h>
