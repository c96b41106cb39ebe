#include "formats/gguf_metadata.h"

#include <cmath>

namespace pintle {

Error GgufKeys::Bad(std::string_view key, const std::string& what) const {
  return ValidationError("the key " + std::string(key) + " " + what, where_);
}

Result<int64_t> GgufKeys::Integer(std::string_view key, int64_t low, int64_t high) const {
  const GgufValue* value = header_->Find(key);
  if (value == nullptr) return Bad(key, "is missing");
  if (value->array || value->integers.size() != 1 || value->kind == GgufKind::kBool) return Bad(key, "is no integer");
  const int64_t number = value->integers[0];
  if (number < low || number > high) {
    return Bad(
        key, "is " + std::to_string(number) + ", not between " + std::to_string(low) + " and " + std::to_string(high));
  }
  return number;
}

Result<int64_t> GgufKeys::Integer(std::string_view key, int64_t low, int64_t high, int64_t otherwise) const {
  if (!Has(key)) return otherwise;
  return Integer(key, low, high);
}

Result<double> GgufKeys::Real(std::string_view key, double above, double high, double otherwise) const {
  const GgufValue* value = header_->Find(key);
  if (value == nullptr) return otherwise;
  if (value->array || value->reals.size() != 1) return Bad(key, "is no number");
  const double number = value->reals[0];
  if (!std::isfinite(number) || !(number > above) || number > high) return Bad(key, "is out of range");
  return number;
}

Result<bool> GgufKeys::Bool(std::string_view key, bool otherwise) const {
  const GgufValue* value = header_->Find(key);
  if (value == nullptr) return otherwise;
  if (value->array || value->kind != GgufKind::kBool) return Bad(key, "is no bool");
  return value->integers[0] != 0;
}

Result<std::string> GgufKeys::Text(std::string_view key, std::string_view otherwise) const {
  const GgufValue* value = header_->Find(key);
  if (value == nullptr) return std::string(otherwise);
  if (value->array || value->kind != GgufKind::kString) return Bad(key, "is no text");
  return value->strings[0];
}

Result<const std::vector<std::string>*> GgufKeys::Strings(std::string_view key) const {
  const GgufValue* value = header_->Find(key);
  if (value == nullptr) return nullptr;
  if (!value->array || value->kind != GgufKind::kString) return Bad(key, "is no array of texts");
  return &value->strings;
}

Result<const std::vector<int64_t>*> GgufKeys::Integers(std::string_view key) const {
  const GgufValue* value = header_->Find(key);
  if (value == nullptr) return nullptr;
  if (!value->array || (value->integers.empty() && !(value->reals.empty() && value->strings.empty()))) {
    return Bad(key, "is no array of integers");
  }
  return &value->integers;
}

Result<const std::vector<double>*> GgufKeys::Reals(std::string_view key) const {
  const GgufValue* value = header_->Find(key);
  if (value == nullptr) return nullptr;
  if (!value->array || (value->kind != GgufKind::kF32 && value->kind != GgufKind::kF64)) {
    return Bad(key, "is no array of numbers");
  }
  return &value->reals;
}

}  // namespace pintle
