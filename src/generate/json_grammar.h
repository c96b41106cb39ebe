// JSON as a grammar: any value, or what a JSON schema describes. Of JSON Schema: the part that OpenAI's structured
// outputs define. What is not understood is refused by name, so that an answer never breaks a promise silently.
// Not here: checking finished JSON; what a grammar is (grammar.h).
// Source: RFC 8259; JSON Schema 2020-12 (core and validation).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "generate/grammar.h"

namespace pintle {

/// Rules for JSON in a grammar that is being built. Texts are UTF-8 without lone surrogates; numbers have at most 16
/// digits before and after the point and two in the exponent; objects and arrays may break lines, with at most 32
/// blanks of indentation, or put one blank after a comma or colon.
class JsonRules {
 public:
  explicit JsonRules(GrammarBuilder& builder);

  [[nodiscard]] int32_t Value() const { return value_; }
  [[nodiscard]] int32_t Object() const { return object_; }
  /// May be empty: a blank, or a line break and indentation.
  [[nodiscard]] int32_t Space() const { return space_; }
  /// Values of `schema`. Understood: type (a name or several), properties (in their order), required,
  /// additionalProperties (beside properties nothing further is generated), items, minItems, maxItems, minLength,
  /// maxLength, enum and const (which win over type), anyOf, $ref within the schema, $defs, and what only describes
  /// (title, description, default, ...). Anything else, and a $ref that leads nowhere, is a validation error whose
  /// `where` is a JSON pointer.
  Result<int32_t> Schema(const boost::json::value& schema);

  /// `{"key": value, ...}` of properties in their order; optional ones may be left out.
  struct Property {
    std::string key;
    int32_t value = 0;
    bool required = true;
  };
  int32_t ObjectOf(const std::vector<Property>& properties, int32_t next);
  /// `[item, ...]`.
  int32_t ArrayOf(int32_t item, int64_t min, int64_t max, int32_t next);

 private:
  class SchemaReader;
  int32_t MapOf(int32_t value, int32_t next);

  GrammarBuilder* builder_;
  int32_t space_, character_, string_, integer_, number_, value_, object_, array_;
};

/// Deepest nesting of objects and arrays in an answer.
inline constexpr int32_t kJsonDepth = 48;

/// Any JSON object.
Result<std::shared_ptr<const Grammar>> JsonObjectGrammar();
/// The values of a schema, given as its text.
Result<std::shared_ptr<const Grammar>> JsonSchemaGrammar(std::string_view schema);

}  // namespace pintle
