// The compiler's word on what a model writes while it is trained: evaluate's harness as train's judge. Stages do not
// know each other; they meet here.
#pragma once

#include "train/quick_check.h"

namespace pintle {

/// Compiles in the sandbox with `workers` processes (0 = all). The harness is made at the first question; where there
/// is no compiler or no sandbox that is narrated, and the answer is nothing from then on.
ProgramJudge MakeQuickJudge(int workers);

}  // namespace pintle
