// SPDX licence expressions: reads what a file, a Cargo.toml or a REUSE record states and chooses a permissive branch.
// The corpus keeps a file only under a chosen branch. Not legal advice, and no texts: only the grammar (SPDX
// specification 2.3, annex D) and the old slash form of crates.io.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pintle {

enum class LicenceVerdict {
  kPermissive,     ///< a branch whose every part is on the list
  kNotPermissive,  ///< understood, but each branch has a part that is not on the list
  kUnknown,        ///< not an expression at all
};

/// Which branch of an expression was chosen, or why none.
struct LicenceDecision {
  LicenceVerdict verdict = LicenceVerdict::kUnknown;
  /// kPermissive: the branch taken ("MIT", "Apache-2.0 WITH LLVM-exception", "MIT AND Zlib"), spelled as on the list.
  /// kNotPermissive: the first part in the way. kUnknown: what was not understood.
  std::string text;
};

/// Decides on `expression`. `permissive` lists identifiers, most preferred first; they compare without regard to case.
/// OR takes the better branch, AND needs both, "X WITH exception" and "X+" count as X. "A/B" is "A OR B".
/// At most 1000 bytes and 32 levels of parentheses. Thread-safe.
LicenceDecision ChooseLicence(std::string_view expression, const std::vector<std::string>& permissive);

}  // namespace pintle
