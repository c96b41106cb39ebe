// The rules of `m31r filter`, in the order in which they are applied: the first that a file fails is its fate. The ids
// stand in ledgers and manifests and keep their spelling.
#pragma once

#include <cstdint>

namespace pintle {

enum class Rule : uint8_t {
  kKept,
  // By the path.
  kNotRust,
  kExcludedFolder,
  kBindingCrate,
  kFork,
  // By licence.
  kLicenceUnknown,
  kLicenceNotPermissive,
  // By content.
  kTooSmall,
  kTooLarge,
  kNotUtf8,
  kTooManyLines,
  kLongLine,
  kLongMeanLine,
  kFewLetters,
  kManyDigits,
  kGenerated,
  kMinified,
  kNumberTable,
  kExpectsErrors,
  kSyntaxErrors,
  kSecret,
  kBenchmark,
  // By the other files.
  kDuplicate,
  kOlderVersion,
  kNearDuplicate,
};
inline constexpr int kRuleCount = static_cast<int>(Rule::kNearDuplicate) + 1;

/// "near-duplicate"
const char* RuleId(Rule rule);
/// What the measured value counts: "percent of bytes in syntax errors".
const char* RuleMeasure(Rule rule);

}  // namespace pintle
