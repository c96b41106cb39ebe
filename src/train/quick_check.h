// A first sign, while training goes on, of whether the model writes Rust: eight short functions that it finishes
// greedily. How many parse is counted by our own parser, how many compile by whoever is asked (a stage does not know
// the compiler). Not a score: evaluate measures, on tasks that no training saw.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pintle {

/// How many of these programs, each with a main of its own, the compiler accepts; nothing where there is no compiler.
using ProgramJudge = std::function<Result<std::optional<int64_t>>(const std::vector<std::string>&)>;

/// Counts over the functions of one check.
struct QuickCheck {
  int64_t functions = 0, parsed = 0;
  std::optional<int64_t> compiled;  ///< nothing: nobody was asked
};

/// The beginnings, each up to the opening brace of a function's body.
const std::vector<std::string>& QuickPrompts();

/// `prompt` and of `answer` as much as closes the function; all of it if nothing does.
std::string FinishedFunction(std::string_view prompt, std::string_view answer);

/// Counts `functions`; asks `judge`, if there is one, about those that parse.
Result<QuickCheck> CheckFunctions(const std::vector<std::string>& functions, const ProgramJudge& judge);

}  // namespace pintle
