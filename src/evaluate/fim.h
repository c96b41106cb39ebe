// Fill in the middle on held-out crates: a real file with a piece taken out; does the model write that piece? Three
// kinds of piece: one line, a few lines, any span. No compiler, no judgement: equal or not, and how
// near.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "generate/generate.h"

namespace pintle {

enum class FimKind { kSingleLine, kMultiLine, kRandomSpan };
inline constexpr std::array<FimKind, 3> kFimKinds = {FimKind::kSingleLine, FimKind::kMultiLine, FimKind::kRandomSpan};
/// "single_line", "multi_line", "random_span".
const char* FimKindName(FimKind kind);

/// A held-out file.
struct HeldOutDocument {
  std::string crate, path, sha256, text;
};

/// One gap to fill.
struct FimCase {
  FimKind kind = FimKind::kSingleLine;
  size_t document = 0;  ///< index into the documents
  std::string prefix, middle, suffix;
};

/// What the model put into it.
struct FimOutcome {
  std::string text;
  bool exact = false;     ///< equal but for white space at both ends
  double similarity = 0;  ///< EditSimilarity of the two, trimmed likewise
};

/// `count` cases of each kind over `documents`, chosen by the seed; a document that has no such place is passed over,
/// so there may be fewer. The pieces: a line of code with its indentation (4 to 120 bytes of code, no
/// comment, not only brackets); 2 to 5 such lines; 10 to 120 bytes anywhere, at characters' boundaries.
std::vector<FimCase> MakeFimCases(const std::vector<HeldOutDocument>& documents, uint64_t seed, int64_t count);

/// Asks the model, greedily, for each middle. What does not fit the context is cut off at the far ends.
Result<std::vector<FimOutcome>> RunFim(TextModel& model, const std::vector<FimCase>& cases,
                                       const std::function<void(int64_t)>& on_progress = {});

}  // namespace pintle
