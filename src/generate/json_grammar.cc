#include "generate/json_grammar.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <utility>

namespace pintle {
namespace json = boost::json;
namespace {

constexpr int32_t kEnd = GrammarBuilder::kReturn;
constexpr int64_t kMaxCount = int64_t{1} << 18;  // for minItems and the like: more would not fit the automaton

constexpr std::array<std::string_view, 12> kAnnotations = {"title",       "description", "default",  "examples",
                                                           "$schema",     "$id",         "$comment", "$defs",
                                                           "definitions", "deprecated",  "readOnly", "writeOnly"};

bool IsIn(std::string_view word, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// One step of a JSON pointer, escaped.
std::string Step(std::string_view key) {
  std::string step = "/";
  for (const char c : key) {
    if (c == '~')
      step += "~0";
    else if (c == '/')
      step += "~1";
    else
      step += c;
  }
  return step;
}

}  // namespace

JsonRules::JsonRules(GrammarBuilder& builder)
    : builder_(&builder),
      space_(builder.AddRule("space")),
      character_(builder.AddRule("character")),
      string_(builder.AddRule("string")),
      integer_(builder.AddRule("integer")),
      number_(builder.AddRule("number")),
      value_(builder.AddRule("value")),
      object_(builder.AddRule("object")),
      array_(builder.AddRule("array")) {
  GrammarBuilder& b = builder;
  const auto byte = [&](char c, int32_t next) { return b.Literal({&c, 1}, next); };

  const int32_t indent = b.AddRule("indent");
  b.Define(indent, b.Either(byte(' ', kEnd), byte('\t', kEnd)));
  b.Define(space_, b.Either(kEnd, b.Either(byte(' ', kEnd), byte('\n', b.Repeat(indent, 0, 32, kEnd)))));

  // Escaped surrogates come in pairs.
  const auto hex = [&](std::string_view digits, int32_t next) {
    int32_t all = b.Literal(digits.substr(0, 1), next);
    for (size_t i = 1; i < digits.size(); ++i) all = b.Either(b.Literal(digits.substr(i, 1), next), all);
    return all;
  };
  constexpr std::string_view kHex = "0123456789abcdefABCDEF";
  const int32_t one = hex(kHex, kEnd), two = hex(kHex, one), three = hex(kHex, two);
  const int32_t low = b.Literal("\\u", hex("dD", hex("cdefCDEF", two)));
  const int32_t high = hex("dD", hex("89abAB", hex(kHex, hex(kHex, low))));
  const int32_t code = b.Either(hex("0123456789abcefABCEF", three), b.Either(hex("dD", hex("01234567", two)), high));
  const int32_t escape = b.Either(hex("\"\\/bfnrt", kEnd), byte('u', code));
  constexpr std::array<std::pair<uint32_t, uint32_t>, 3> kPlain = {{{0x20, 0x21}, {0x23, 0x5B}, {0x5D, 0x10FFFF}}};
  b.Define(character_, b.Either(b.Character(kPlain, kEnd), byte('\\', escape)));
  b.Define(string_, byte('"', b.Repeat(character_, 0, GrammarBuilder::kForever, byte('"', kEnd))));

  const int32_t digit = b.AddRule("digit");
  b.Define(digit, b.Byte('0', '9', kEnd));
  const auto whole = [&](int32_t next) {
    const int32_t positive = b.Either(byte('0', next), b.Byte('1', '9', b.Repeat(digit, 0, 15, next)));
    return b.Either(positive, byte('-', positive));
  };
  const int32_t power = b.Repeat(digit, 1, 2, kEnd);
  const int32_t sign = b.Either(power, b.Either(byte('+', power), byte('-', power)));
  const int32_t exponent = b.Either(kEnd, b.Either(byte('e', sign), byte('E', sign)));
  b.Define(integer_, whole(kEnd));
  b.Define(number_, whole(b.Either(exponent, byte('.', b.Repeat(digit, 1, 16, exponent)))));

  b.Define(object_, MapOf(value_, kEnd));
  b.Define(array_, ArrayOf(value_, 0, GrammarBuilder::kForever, kEnd));
  int32_t any = b.Either(b.Call(object_, kEnd), b.Call(array_, kEnd));
  any = b.Either(b.Call(number_, kEnd), b.Either(b.Call(string_, kEnd), any));
  for (const char* word : {"true", "false", "null"}) any = b.Either(b.Literal(word, kEnd), any);
  b.Define(value_, any);
}

int32_t JsonRules::MapOf(int32_t value, int32_t next) {
  GrammarBuilder& b = *builder_;
  const int32_t rest = b.Hole();
  const int32_t member = b.Call(string_, b.Literal(":", b.Call(space_, b.Call(value, rest))));
  b.Fill(rest, b.Either(b.Literal(",", b.Call(space_, member)), b.Call(space_, b.Literal("}", next))));
  return b.Literal("{", b.Call(space_, b.Either(b.Literal("}", next), member)));
}

int32_t JsonRules::ObjectOf(const std::vector<Property>& properties, int32_t next) {
  GrammarBuilder& b = *builder_;
  // From the last property to the first: how the text goes on if none stands before it, and if one does.
  int32_t first = b.Literal("}", next), further = b.Call(space_, first);
  for (size_t i = properties.size(); i-- > 0;) {
    const Property& property = properties[i];
    const int32_t member = b.Literal(JsonQuote(property.key) + ":", b.Call(space_, b.Call(property.value, further)));
    const int32_t after_comma = b.Literal(",", b.Call(space_, member));
    first = property.required ? member : b.Either(member, first);
    further = property.required ? after_comma : b.Either(after_comma, further);
  }
  return b.Literal("{", b.Call(space_, first));
}

int32_t JsonRules::ArrayOf(int32_t item, int64_t min, int64_t max, int32_t next) {
  GrammarBuilder& b = *builder_;
  const int32_t close = b.Literal("]", next);
  if (max == 0) return b.Literal("[", b.Call(space_, close));
  const int32_t further = b.AddRule("item");
  b.Define(further, b.Literal(",", b.Call(space_, b.Call(item, kEnd))));
  const int64_t most = max == GrammarBuilder::kForever ? max : max - 1;
  const int32_t some = b.Call(item, b.Repeat(further, std::max<int64_t>(min - 1, 0), most, b.Call(space_, close)));
  return b.Literal("[", b.Call(space_, min > 0 ? some : b.Either(close, some)));
}

// Each schema becomes a rule; those that a rule mentions wait in a list, so nothing here recurses.
class JsonRules::SchemaReader {
 public:
  SchemaReader(JsonRules& rules, const json::value& root) : rules_(&rules), b_(rules.builder_), root_(&root) {}

  Result<int32_t> Read() {
    const int32_t rule = RuleOf(*root_, "#");
    while (!waiting_.empty() && !b_->full()) {
      const Waiting next = std::move(waiting_.back());
      waiting_.pop_back();
      PINTLE_ASSIGN(const int32_t start, Start(*next.schema, next.path));
      b_->Define(next.rule, start);
    }
    return rule;
  }

 private:
  struct Waiting {
    const json::value* schema;
    int32_t rule;
    std::string path;
  };

  int32_t RuleOf(const json::value& schema, const std::string& path) {
    const auto known = known_.find(&schema);
    if (known != known_.end()) return known->second;
    const int32_t rule = b_->AddRule(path);
    known_.emplace(&schema, rule);
    waiting_.push_back({&schema, rule, path});
    return rule;
  }

  Result<int32_t> Start(const json::value& schema, const std::string& path) {
    if (schema.is_bool() && schema.get_bool()) return b_->Call(rules_->value_, kEnd);
    if (!schema.is_object()) return ValidationError("a schema is an object or true", path);
    const json::object& object = schema.get_object();
    if (object.contains("$ref")) return Reference(object, path);
    if (object.contains("const") || object.contains("enum")) return Literals(object, path);
    if (object.contains("anyOf")) return AnyOf(object, path);
    return Typed(object, path);
  }

  // Every key must be one of `understood` or only describe.
  static Status CheckKeys(const json::object& object, std::initializer_list<std::string_view> understood,
                          const std::string& path) {
    for (const auto& [key, value] : object) {
      const std::string_view name = key;
      if (IsIn(name, understood) || std::find(kAnnotations.begin(), kAnnotations.end(), name) != kAnnotations.end()) {
        continue;
      }
      return ValidationError("the keyword '" + std::string(name) + "' is not supported here", path,
                             "supported are type, properties, required, additionalProperties, items, minItems, "
                             "maxItems, minLength, maxLength, enum, const, anyOf and $ref");
    }
    return {};
  }

  Result<int32_t> Reference(const json::object& object, const std::string& path) {
    PINTLE_RETURN_IF_ERROR(CheckKeys(object, {"$ref"}, path));
    const json::value& reference = object.at("$ref");
    const std::string pointer(reference.is_string() ? reference.get_string() : "?");
    const auto nowhere = [&] { return ValidationError("$ref '" + pointer + "' leads nowhere in this schema", path); };
    if (pointer != "#" && !pointer.starts_with("#/")) return nowhere();
    const json::value* at = root_;
    for (size_t begin = 1; begin < pointer.size();) {
      const size_t end = std::min(pointer.find('/', begin + 1), pointer.size());
      std::string key;
      for (size_t i = begin + 1; i < end; ++i) {
        const bool escaped = pointer[i] == '~' && i + 1 < end;
        key += !escaped ? pointer[i] : pointer[++i] == '1' ? '/' : '~';
      }
      begin = end;
      if (!at->is_object()) return nowhere();
      at = at->get_object().if_contains(key);
      if (at == nullptr) return nowhere();
    }
    return b_->Call(RuleOf(*at, pointer), kEnd);
  }

  Result<int32_t> Literals(const json::object& object, const std::string& path) {
    PINTLE_RETURN_IF_ERROR(CheckKeys(object, {"const", "enum", "type"}, path));
    if (const json::value* value = object.if_contains("const")) return b_->Literal(DumpJson(*value), kEnd);
    const json::value& list = object.at("enum");
    if (!list.is_array() || list.get_array().empty()) return ValidationError("enum is no list of values", path);
    int32_t all = -1;
    for (const json::value& value : list.get_array()) {
      const int32_t one = b_->Literal(DumpJson(value), kEnd);
      all = all < 0 ? one : b_->Either(one, all);
    }
    return all;
  }

  Result<int32_t> AnyOf(const json::object& object, const std::string& path) {
    PINTLE_RETURN_IF_ERROR(CheckKeys(object, {"anyOf"}, path));
    const json::value& list = object.at("anyOf");
    if (!list.is_array() || list.get_array().empty()) return ValidationError("anyOf is no list of schemas", path);
    int32_t all = -1;
    for (size_t i = 0; i < list.get_array().size(); ++i) {
      const int32_t one = b_->Call(RuleOf(list.get_array()[i], path + "/anyOf/" + std::to_string(i)), kEnd);
      all = all < 0 ? one : b_->Either(one, all);
    }
    return all;
  }

  Result<int32_t> Typed(const json::object& object, const std::string& path) {
    PINTLE_RETURN_IF_ERROR(CheckKeys(object,
                                     {"type", "properties", "required", "additionalProperties", "items", "minItems",
                                      "maxItems", "minLength", "maxLength"},
                                     path));
    std::vector<std::string> types;
    if (const json::value* type = object.if_contains("type"); type == nullptr) {
      // What the other keywords speak about.
      if (object.contains("properties") || object.contains("additionalProperties")) types.emplace_back("object");
      if (object.contains("items")) types.emplace_back("array");
      if (types.empty()) {
        PINTLE_RETURN_IF_ERROR(CheckKeys(object, {}, path));
        return b_->Call(rules_->value_, kEnd);
      }
    } else if (type->is_string()) {
      types.emplace_back(type->get_string());
    } else if (type->is_array()) {
      for (const json::value& name : type->get_array()) types.emplace_back(name.is_string() ? name.get_string() : "?");
    }
    int32_t all = -1;
    for (const std::string& type : types) {
      PINTLE_ASSIGN(const int32_t one, OneType(type, object, path));
      all = all < 0 ? one : b_->Either(one, all);
    }
    if (all < 0) return ValidationError("type is no name of a type, and no list of names", path);
    return all;
  }

  Result<int32_t> OneType(const std::string& type, const json::object& object, const std::string& path) {
    if (type == "object") return Object(object, path);
    if (type == "array") {
      PINTLE_ASSIGN(const auto count, Counts(object, "minItems", "maxItems", path));
      const json::value* items = object.if_contains("items");
      const int32_t item = items != nullptr ? RuleOf(*items, path + "/items") : rules_->value_;
      return rules_->ArrayOf(item, count.first, count.second, kEnd);
    }
    if (type == "string") {
      PINTLE_ASSIGN(const auto count, Counts(object, "minLength", "maxLength", path));
      return b_->Literal("\"", b_->Repeat(rules_->character_, count.first, count.second, b_->Literal("\"", kEnd)));
    }
    if (type == "integer") return b_->Call(rules_->integer_, kEnd);
    if (type == "number") return b_->Call(rules_->number_, kEnd);
    if (type == "boolean") return b_->Either(b_->Literal("true", kEnd), b_->Literal("false", kEnd));
    if (type == "null") return b_->Literal("null", kEnd);
    return ValidationError("there is no type '" + type + "'", path);
  }

  Result<std::pair<int64_t, int64_t>> Counts(const json::object& object, std::string_view least, std::string_view most,
                                             const std::string& path) {
    const auto read = [&](std::string_view key, int64_t otherwise) -> Result<int64_t> {
      const json::value* value = object.if_contains(key);
      if (value == nullptr) return otherwise;
      if (value->is_int64() && value->get_int64() >= 0 && value->get_int64() <= kMaxCount) return value->get_int64();
      return ValidationError(std::string(key) + " must lie between 0 and " + std::to_string(kMaxCount), path);
    };
    std::pair<int64_t, int64_t> count;
    PINTLE_ASSIGN(count.first, read(least, 0));
    PINTLE_ASSIGN(count.second, read(most, GrammarBuilder::kForever));
    if (count.second != GrammarBuilder::kForever && count.second < count.first) {
      return ValidationError(std::string(most) + " is less than " + std::string(least), path);
    }
    return count;
  }

  Result<int32_t> Object(const json::object& object, const std::string& path) {
    const json::value* properties = object.if_contains("properties");
    const json::value* required = object.if_contains("required");
    const json::value* further = object.if_contains("additionalProperties");
    if (properties != nullptr && !properties->is_object()) return ValidationError("properties is no object", path);
    if (required != nullptr && !required->is_array()) return ValidationError("required is no list of names", path);
    std::vector<Property> list;
    std::unordered_map<std::string_view, size_t> place;
    if (properties != nullptr) {
      for (const auto& [key, schema] : properties->get_object()) {
        place.emplace(std::string_view(key), list.size());
        list.push_back({std::string(key), RuleOf(schema, path + "/properties" + Step(key)), false});
      }
    }
    if (required != nullptr) {
      for (const json::value& name : required->get_array()) {
        const auto found = name.is_string() ? place.find(std::string_view(name.get_string())) : place.end();
        if (found == place.end()) return ValidationError("required names what properties does not describe", path);
        list[found->second].required = true;
      }
    }
    const bool closed = further != nullptr && further->is_bool() && !further->get_bool();
    if (!list.empty() || closed) return rules_->ObjectOf(list, kEnd);
    return rules_->MapOf(further != nullptr ? RuleOf(*further, path + "/additionalProperties") : rules_->value_, kEnd);
  }

  JsonRules* rules_;
  GrammarBuilder* b_;
  const json::value* root_;
  std::vector<Waiting> waiting_;
  std::unordered_map<const json::value*, int32_t> known_;
};

Result<int32_t> JsonRules::Schema(const json::value& schema) { return SchemaReader(*this, schema).Read(); }

Result<std::shared_ptr<const Grammar>> JsonObjectGrammar() {
  GrammarBuilder builder;
  const JsonRules rules(builder);
  return builder.Build(rules.Object(), kJsonDepth);
}

Result<std::shared_ptr<const Grammar>> JsonSchemaGrammar(std::string_view schema) {
  PINTLE_ASSIGN(const json::value value, ParseJson(schema, "schema"));
  GrammarBuilder builder;
  JsonRules rules(builder);
  PINTLE_ASSIGN(const int32_t rule, rules.Schema(value));
  return builder.Build(rule, kJsonDepth);
}

}  // namespace pintle
