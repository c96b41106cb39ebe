// Runs a chat template. The output is bounded in steps, depth and bytes, whatever the template: it comes from a model
// file, and files come from anywhere. Not here: which words of the output are control tokens (chat_template.h).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/jinja/parser.h"
#include "text/jinja/value.h"

namespace pintle::jinja {

/// What `tree` writes with `variables`. The functions range, namespace, dict, raise_exception and strftime_now (always
/// 26 July 2024, so that a prompt does not depend on the day) are known. Errors are validation errors; those that the
/// template raises itself carry its text.
Result<Text> Render(const Tree& tree, std::vector<std::pair<std::string, Value>> variables);

}  // namespace pintle::jinja
