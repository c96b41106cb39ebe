// Answers that compile without answering: `todo!()`, a constant, a body that looks at none of its parameters, the
// prompt again. They are told apart by the text alone, before and without any compiler.
#pragma once

#include <string>
#include <string_view>

#include "evaluate/task.h"

namespace pintle {

/// Why an answer is trivial.
enum class Triviality {
  kNone,
  kEmpty,              ///< no statement
  kDiverges,           ///< todo!(), panic!(), loop {} and the like come first
  kConstant,           ///< one literal or constant
  kIgnoresParameters,  ///< names none of its parameters
  kRepeatsPrompt,      ///< a copy of lines of the prompt, or the same function once more inside itself
};

/// "none", "empty", "diverges", "constant", "ignores parameters", "repeats the prompt".
const char* TrivialityName(Triviality triviality);

/// Judges a completion of a task. Modes main and test look at the function that the prompt opened; mode crate is
/// trivial if none of its functions is ordinary.
Triviality ClassifyCompletion(const Task& task, const std::string& completion);

/// Offset of the brace that opens the body which the prompt asks for: the last one that is still open at its end; npos
/// if none is.
size_t OpenBrace(std::string_view prompt);

}  // namespace pintle
