#include "serve/http/field_reader.h"

#include <boost/json.hpp>

#include "base/json.h"

namespace pintle {
namespace json = boost::json;
namespace {

std::string Shown(double number) { return DumpJson(json::value(number)); }

std::string Taken(const json::string& text) { return {text.data(), text.size()}; }

}  // namespace

void FieldReader::Fail(ApiError error) {
  if (!error_) error_ = std::move(error);
}

void FieldReader::Fail(std::string_view name, const std::string& what, std::string code) {
  Fail(ApiError{400, "'" + Path(name) + "' " + what, Path(name), std::move(code)});
}

const json::value* FieldReader::Value(std::string_view name) {
  Known(name);
  if (error_) return nullptr;
  const json::value* value = object_->if_contains({name.data(), name.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

bool FieldReader::Text(std::string_view name, std::string& value) {
  const json::value* field = Value(name);
  if (field == nullptr) return false;
  if (!field->is_string()) return Fail(name, "must be a string", "invalid_type"), false;
  value = Taken(field->get_string());
  return true;
}

bool FieldReader::Flag(std::string_view name, bool& value) {
  const json::value* field = Value(name);
  if (field == nullptr) return false;
  if (!field->is_bool()) return Fail(name, "must be true or false", "invalid_type"), false;
  value = field->get_bool();
  return true;
}

bool FieldReader::Integer(std::string_view name, int64_t& value, int64_t low, int64_t high) {
  const json::value* field = Value(name);
  if (field == nullptr) return false;
  json::error_code inexact;
  const auto number = field->is_number() ? field->to_number<int64_t>(inexact) : 0;
  if (!field->is_number() || inexact) return Fail(name, "must be a whole number", "invalid_type"), false;
  if (number < low || number > high) {
    Fail(name, "must lie between " + std::to_string(low) + " and " + std::to_string(high) + ", not at " +
                   std::to_string(number));
    return false;
  }
  value = number;
  return true;
}

bool FieldReader::Number(std::string_view name, double& value, double low, double high) {
  const json::value* field = Value(name);
  if (field == nullptr) return false;
  if (!field->is_number()) return Fail(name, "must be a number", "invalid_type"), false;
  const auto number = field->to_number<double>();
  if (!(number >= low && number <= high)) {
    Fail(name, "must lie between " + Shown(low) + " and " + Shown(high) + ", not at " + Shown(number));
    return false;
  }
  value = number;
  return true;
}

bool FieldReader::Texts(std::string_view name, std::vector<std::string>& value, size_t low, size_t high) {
  const json::value* field = Value(name);
  if (field == nullptr) return false;
  std::vector<std::string> texts;
  if (field->is_string()) {
    texts.push_back(Taken(field->get_string()));
  } else if (field->is_array()) {
    for (const json::value& item : field->get_array()) {
      if (!item.is_string()) return Fail(name, "must hold strings only", "invalid_type"), false;
      texts.push_back(Taken(item.get_string()));
    }
  } else {
    return Fail(name, "must be a string or a list of strings", "invalid_type"), false;
  }
  if (texts.size() < low || texts.size() > high) {
    Fail(name, "must hold " + std::to_string(low) + " to " + std::to_string(high) + " strings, not " +
                   std::to_string(texts.size()));
    return false;
  }
  value = std::move(texts);
  return true;
}

const json::object* FieldReader::Object(std::string_view name) {
  const json::value* field = Value(name);
  if (field == nullptr) return nullptr;
  if (!field->is_object()) return Fail(name, "must be an object", "invalid_type"), nullptr;
  return &field->get_object();
}

const json::array* FieldReader::Array(std::string_view name) {
  const json::value* field = Value(name);
  if (field == nullptr) return nullptr;
  if (!field->is_array()) return Fail(name, "must be a list", "invalid_type"), nullptr;
  return &field->get_array();
}

std::vector<std::string> FieldReader::Ignored() const {
  std::vector<std::string> names;
  for (const auto& member : *object_) {
    const std::string_view name(member.key().data(), member.key().size());
    if (known_.find(name) == known_.end()) names.push_back(Path(name));
  }
  return names;
}

}  // namespace pintle
