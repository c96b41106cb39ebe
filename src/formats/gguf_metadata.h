// Typed look-ups in GGUF metadata: each checks kind and range and names the key in its error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/gguf.h"

namespace pintle {

/// The metadata of one file; header and place must outlive it.
class GgufKeys {
 public:
  /// `where` names the file in errors.
  GgufKeys(const GgufHeader& header, std::string where) : header_(&header), where_(std::move(where)) {}

  [[nodiscard]] bool Has(std::string_view key) const { return header_->Find(key) != nullptr; }
  /// An integer of any width in [low, high].
  [[nodiscard]] Result<int64_t> Integer(std::string_view key, int64_t low, int64_t high) const;
  /// The same, or `otherwise` where the key is missing.
  [[nodiscard]] Result<int64_t> Integer(std::string_view key, int64_t low, int64_t high, int64_t otherwise) const;
  /// A finite number above `above` (exclusive) and at most `high`, or `otherwise` where the key is missing.
  [[nodiscard]] Result<double> Real(std::string_view key, double above, double high, double otherwise) const;
  [[nodiscard]] Result<bool> Bool(std::string_view key, bool otherwise) const;
  [[nodiscard]] Result<std::string> Text(std::string_view key, std::string_view otherwise) const;
  /// Arrays; null where the key is missing. The memory is the header's.
  [[nodiscard]] Result<const std::vector<std::string>*> Strings(std::string_view key) const;
  [[nodiscard]] Result<const std::vector<int64_t>*> Integers(std::string_view key) const;
  [[nodiscard]] Result<const std::vector<double>*> Reals(std::string_view key) const;
  [[nodiscard]] const std::string& where() const { return where_; }
  /// "the key K WHAT".
  [[nodiscard]] Error Bad(std::string_view key, const std::string& what) const;

 private:
  const GgufHeader* header_;
  std::string where_;
};

}  // namespace pintle
