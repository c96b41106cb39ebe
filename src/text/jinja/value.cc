#include "text/jinja/value.h"

#include <boost/json.hpp>

namespace pintle::jinja {

Value Value::None() {
  Value result;
  result.kind = Kind::kNone;
  return result;
}
Value Value::Of(bool value) {
  Value result;
  result.kind = Kind::kBool;
  result.integer = value ? 1 : 0;
  return result;
}
Value Value::Of(int64_t value) {
  Value result;
  result.kind = Kind::kInteger;
  result.integer = value;
  return result;
}
Value Value::Of(double value) {
  Value result;
  result.kind = Kind::kReal;
  result.real = value;
  return result;
}
Value Value::Of(Text value) {
  Value result;
  result.kind = Kind::kText;
  result.text = std::make_shared<const Text>(std::move(value));
  return result;
}
Value Value::Of(List value) {
  Value result;
  result.kind = Kind::kList;
  result.list = std::make_shared<const List>(std::move(value));
  return result;
}
Value Value::Of(Members value) {
  Value result;
  result.kind = Kind::kObject;
  result.members = std::make_shared<Members>(std::move(value));
  return result;
}

Value Value::Of(const boost::json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::bool_:
      return Of(value.get_bool());
    case boost::json::kind::int64:
      return Of(value.get_int64());
    case boost::json::kind::uint64:
      return Of(static_cast<double>(value.get_uint64()));
    case boost::json::kind::double_:
      return Of(value.get_double());
    case boost::json::kind::string:
      return Of(Text(value.get_string(), false));
    case boost::json::kind::array: {
      List list;
      for (const auto& item : value.get_array()) list.push_back(Of(item));
      return Of(std::move(list));
    }
    case boost::json::kind::object: {
      Members members;
      for (const auto& [key, item] : value.get_object()) members.emplace_back(std::string(key), Of(item));
      return Of(std::move(members));
    }
    case boost::json::kind::null:
      break;
  }
  return None();
}

bool Value::Truth() const {
  switch (kind) {
    case Kind::kUndefined:
    case Kind::kNone:
      return false;
    case Kind::kBool:
    case Kind::kInteger:
      return integer != 0;
    case Kind::kReal:
      return real != 0;
    case Kind::kText:
      return !text->bytes.empty();
    case Kind::kList:
      return !list->empty();
    case Kind::kObject:
      return !members->empty();
    default:
      return true;
  }
}

const Value* Value::Find(std::string_view key) const {
  if (kind != Kind::kObject && kind != Kind::kNamespace) return nullptr;
  for (const auto& [name, value] : *members) {
    if (name == key) return &value;
  }
  return nullptr;
}

}  // namespace pintle::jinja
