#include "text/jinja/builtins.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>

namespace pintle::jinja {
namespace {

using Kind = Value::Kind;

constexpr int kDeepest = 64;  // values inside each other that are printed or compared

Error Wrong(std::string_view what) { return ValidationError("a template does what it cannot: " + std::string(what)); }

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

Result<Value> Made(Text text, Budget& budget) {
  PINTLE_RETURN_IF_ERROR(budget.Spend(1, 2 * text.bytes.size()));
  return Value::Of(std::move(text));
}
Result<Value> Made(List list, Budget& budget) {
  PINTLE_RETURN_IF_ERROR(budget.Spend(static_cast<int64_t>(list.size()), list.size() * sizeof(Value)));
  return Value::Of(std::move(list));
}

// Where each character of a text begins, and its end.
std::vector<size_t> Characters(std::string_view bytes) {
  std::vector<size_t> begins;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if ((static_cast<uint8_t>(bytes[i]) & 0xC0) != 0x80) begins.push_back(i);
  }
  begins.push_back(bytes.size());
  return begins;
}

// Only letters of ASCII change.
Text Recased(Text text, const std::string& how) {
  bool begins = true;
  for (char& c : text.bytes) {
    const bool up = how == "upper" || (how != "lower" && begins);
    const bool letter = Lower(c) != Upper(c) || (static_cast<uint8_t>(c) & 0x80) != 0;
    c = up ? Upper(c) : Lower(c);
    begins = how == "title" && !letter;
  }
  return text;
}

Text Stripped(const Text& text, std::string_view which, bool left, bool right) {
  const auto goes = [&](char c) { return which.empty() ? IsSpace(c) : which.find(c) != std::string_view::npos; };
  size_t begin = 0, end = text.bytes.size();
  while (left && begin < end && goes(text.bytes[begin])) ++begin;
  while (right && end > begin && goes(text.bytes[end - 1])) --end;
  return text.Part(begin, end - begin);
}

Result<Value> Replaced(const Text& text, const Text& from, const Text& to, int64_t count, Budget& budget) {
  if (from.bytes.empty()) return Wrong("replace of an empty text");
  Text out;
  size_t at = 0;
  for (int64_t done = 0; count < 0 || done < count; ++done) {
    const size_t found = text.bytes.find(from.bytes, at);
    if (found == std::string::npos) break;
    PINTLE_RETURN_IF_ERROR(budget.Spend(1, 2 * (found - at + to.bytes.size())));
    out.Append(text.Part(at, found - at));
    out.Append(to);
    at = found + from.bytes.size();
  }
  out.Append(text.Part(at, std::string::npos));
  return Made(std::move(out), budget);
}

Result<Value> Split(const Text& text, const Value* separator, int64_t count, Budget& budget) {
  List parts;
  const bool blanks = separator == nullptr || separator->Is(Kind::kNone);
  if (!blanks && (!separator->Is(Kind::kText) || separator->text->bytes.empty())) return Wrong("split at no text");
  const std::string& bytes = text.bytes;
  for (size_t at = 0;;) {
    if (blanks) {
      while (at < bytes.size() && IsSpace(bytes[at])) ++at;
      if (at == bytes.size()) break;
    }
    const bool last = count >= 0 && static_cast<int64_t>(parts.size()) >= count;
    size_t end = std::string::npos;
    if (!last && blanks) {
      const auto found = std::find_if(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), IsSpace);
      if (found != bytes.end()) end = static_cast<size_t>(found - bytes.begin());
    } else if (!last) {
      end = bytes.find(separator->text->bytes, at);
    }
    PINTLE_ASSIGN(Value part, Made(text.Part(at, end == std::string::npos ? end : end - at), budget));
    parts.push_back(std::move(part));
    if (end == std::string::npos) break;
    at = end + (blanks ? 1 : separator->text->bytes.size());
  }
  return Made(std::move(parts), budget);
}

// Python's json.dumps without escapes of what is not ASCII; nothing in it is trusted.
Status WriteJson(const Value& value, int64_t indent, int level, std::string& out, Budget& budget) {
  if (level > kDeepest) return Wrong("a value is nested too deep");
  const size_t before = out.size();
  const auto line = [&](int depth) {
    if (indent > 0) out.append(1, '\n').append(static_cast<size_t>(indent) * static_cast<size_t>(depth), ' ');
  };
  switch (value.kind) {
    case Kind::kText:
      out += JsonQuote(value.text->bytes);
      break;
    case Kind::kBool:
      out += value.integer != 0 ? "true" : "false";
      break;
    case Kind::kInteger:
      out += std::to_string(value.integer);
      break;
    case Kind::kReal:
      out += DumpJson(value.real);
      break;
    case Kind::kNone:
      out += "null";
      break;
    case Kind::kList:
    case Kind::kObject: {
      const bool object = value.Is(Kind::kObject);
      const size_t count = object ? value.members->size() : value.list->size();
      out += object ? '{' : '[';
      for (size_t i = 0; i < count; ++i) {
        if (i > 0) out += indent > 0 ? "," : ", ";
        line(level + 1);
        if (object) out += JsonQuote((*value.members)[i].first) + ": ";
        const Value& item = object ? (*value.members)[i].second : (*value.list)[i];
        PINTLE_RETURN_IF_ERROR(WriteJson(item, indent, level + 1, out, budget));
      }
      if (count > 0) line(level);
      out += object ? '}' : ']';
      break;
    }
    default:
      return Wrong("tojson of what is no value");
  }
  return budget.Spend(1, out.size() - std::min(before, out.size()));
}

// str() of what is inside lists and objects is close to repr().
Status Write(const Value& value, bool inside, int level, Text& out, Budget& budget) {
  if (level > kDeepest) return Wrong("a value is nested too deep");
  const auto plain = [&](std::string_view text) { out.Append(Text(text, false)); };
  const size_t before = out.bytes.size();
  switch (value.kind) {
    case Kind::kUndefined:
      break;
    case Kind::kNone:
      plain("None");
      break;
    case Kind::kBool:
      plain(value.integer != 0 ? "True" : "False");
      break;
    case Kind::kInteger:
      plain(std::to_string(value.integer));
      break;
    case Kind::kReal:
      plain(DumpJson(value.real));
      break;
    case Kind::kText:
      if (inside) plain("'");
      out.Append(*value.text);
      if (inside) plain("'");
      break;
    case Kind::kList:
      plain("[");
      for (size_t i = 0; i < value.list->size(); ++i) {
        if (i > 0) plain(", ");
        PINTLE_RETURN_IF_ERROR(Write((*value.list)[i], true, level + 1, out, budget));
      }
      plain("]");
      break;
    case Kind::kObject:
      plain("{");
      for (size_t i = 0; i < value.members->size(); ++i) {
        plain((i > 0 ? ", '" : "'") + (*value.members)[i].first + "': ");
        PINTLE_RETURN_IF_ERROR(Write((*value.members)[i].second, true, level + 1, out, budget));
      }
      plain("}");
      break;
    default:
      return Wrong("a function or namespace is printed");
  }
  return budget.Spend(1, 2 * (out.bytes.size() - before));
}

Result<bool> Same(const Value& a, const Value& b, int level, Budget& budget) {
  PINTLE_RETURN_IF_ERROR(budget.Spend(1, 0));
  if (level > kDeepest) return Wrong("a value is nested too deep");
  if (a.IsNumber() && b.IsNumber()) return a.Number() == b.Number();
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Kind::kUndefined:
    case Kind::kNone:
      return true;
    case Kind::kText:
      return a.text->bytes == b.text->bytes;
    case Kind::kList:
      if (a.list->size() != b.list->size()) return false;
      for (size_t i = 0; i < a.list->size(); ++i) {
        PINTLE_ASSIGN(const bool same, Same((*a.list)[i], (*b.list)[i], level + 1, budget));
        if (!same) return false;
      }
      return true;
    case Kind::kObject:
      if (a.members->size() != b.members->size()) return false;
      for (const auto& [key, value] : *a.members) {
        const Value* other = b.Find(key);
        if (other == nullptr) return false;
        PINTLE_ASSIGN(const bool same, Same(value, *other, level + 1, budget));
        if (!same) return false;
      }
      return true;
    default:
      return false;
  }
}

int64_t IntegerOr(const Value* value, int64_t otherwise) {
  return value != nullptr && (value->Is(Kind::kInteger) || value->Is(Kind::kBool)) ? value->integer : otherwise;
}

// The member of an item that map, selectattr and rejectattr look at: "a.b" goes into members.
Value Attribute(const Value& item, std::string_view path) {
  const Value* at = &item;
  while (at != nullptr && !path.empty()) {
    const size_t dot = std::min(path.find('.'), path.size());
    at = at->Find(path.substr(0, dot));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return at != nullptr ? *at : Value();
}

// map(attribute=...), map("filter"), select, reject, selectattr, rejectattr.
Result<Value> OverItems(std::string_view name, const Value& value, const Arguments& arguments, Budget& budget) {
  PINTLE_ASSIGN(const List items, Items(value, budget));
  const bool by_attribute = name.ends_with("attr");
  const Value* attribute = arguments.Get(by_attribute ? 0 : SIZE_MAX, "attribute");
  const size_t used = by_attribute ? 1 : 0;  // arguments before the name of the filter or test
  const bool has_word = arguments.values.size() > used;
  if ((attribute != nullptr && !attribute->Is(Kind::kText)) || (by_attribute && attribute == nullptr) ||
      (has_word && !arguments.values[used].Is(Kind::kText))) {
    return Wrong(std::string(name) + " without a name");
  }
  Arguments rest;
  if (has_word)
    rest.values.assign(arguments.values.begin() + static_cast<std::ptrdiff_t>(used) + 1, arguments.values.end());
  List out;
  for (const Value& item : items) {
    const Value looked = attribute != nullptr ? Attribute(item, attribute->text->bytes) : item;
    if (name == "map") {
      if (!has_word) {
        out.push_back(looked);
        continue;
      }
      PINTLE_ASSIGN(Value mapped, ApplyFilter(arguments.values[used].text->bytes, looked, rest, budget));
      out.push_back(std::move(mapped));
      continue;
    }
    bool holds = looked.Truth();
    if (has_word) {
      PINTLE_ASSIGN(holds, ApplyTest(arguments.values[used].text->bytes, looked, rest, budget));
    }
    if (holds == name.starts_with("select")) out.push_back(item);
  }
  return Made(std::move(out), budget);
}

Result<Value> Joined(const Value& value, const Arguments& arguments, Budget& budget) {
  PINTLE_ASSIGN(const List items, Items(value, budget));
  Text out, separator;
  if (const Value* between = arguments.Get(0, "d"); between != nullptr) {
    PINTLE_ASSIGN(separator, ToText(*between, budget));
  }
  const Value* attribute = arguments.Get(1, "attribute");
  for (size_t i = 0; i < items.size(); ++i) {
    const bool by_attribute = attribute != nullptr && attribute->Is(Kind::kText);
    PINTLE_ASSIGN(const Text one,
                  ToText(by_attribute ? Attribute(items[i], attribute->text->bytes) : items[i], budget));
    PINTLE_RETURN_IF_ERROR(budget.Spend(1, 2 * (one.bytes.size() + separator.bytes.size())));
    if (i > 0) out.Append(separator);
    out.Append(one);
  }
  return Made(std::move(out), budget);
}

Result<Value> Pairs(const Value& value, bool sorted, Budget& budget) {
  if (!value.Is(Kind::kObject)) return Wrong("items of what is no object");
  List pairs;
  for (const auto& [key, item] : *value.members) pairs.push_back(Value::Of(List{Value::Of(Text(key, false)), item}));
  if (sorted) {
    std::sort(pairs.begin(), pairs.end(),
              [](const Value& a, const Value& b) { return (*a.list)[0].text->bytes < (*b.list)[0].text->bytes; });
  }
  return Made(std::move(pairs), budget);
}

Result<Value> TextMethod(const Text& text, std::string_view name, const Arguments& arguments, Budget& budget) {
  const auto argument = [&](size_t i) -> const Text* {
    const Value* value = arguments.Get(i, "");
    return value != nullptr && value->Is(Kind::kText) ? value->text.get() : nullptr;
  };
  const Text *first = argument(0), *second = argument(1);
  if (name == "strip" || name == "lstrip" || name == "rstrip" || name == "trim") {
    return Made(Stripped(text, first != nullptr ? first->bytes : "", name != "rstrip", name != "lstrip"), budget);
  }
  if (name == "upper" || name == "lower" || name == "title" || name == "capitalize") {
    return Made(Recased(text, std::string(name)), budget);
  }
  if (name == "startswith" && first != nullptr) return Value::Of(text.bytes.starts_with(first->bytes));
  if (name == "endswith" && first != nullptr) return Value::Of(text.bytes.ends_with(first->bytes));
  if (name == "split") return Split(text, arguments.Get(0, "sep"), IntegerOr(arguments.Get(1, "maxsplit"), -1), budget);
  if (name == "replace" && first != nullptr && second != nullptr) {
    return Replaced(text, *first, *second, IntegerOr(arguments.Get(2, "count"), -1), budget);
  }
  return Wrong("the arguments of " + std::string(name));
}

}  // namespace

Status Budget::Spend(int64_t step_count, size_t byte_count) {
  steps -= step_count;
  bytes -= static_cast<int64_t>(std::min<size_t>(byte_count, size_t{1} << 40));
  if (steps >= 0 && bytes >= 0) return {};
  return ValidationError("the template takes too long or too much memory");
}

const Value* Arguments::Get(size_t position, std::string_view name) const {
  if (position < values.size()) return &values[position];
  for (const auto& [key, value] : named) {
    if (key == name) return &value;
  }
  return nullptr;
}

Result<Text> ToText(const Value& value, Budget& budget) {
  Text out;
  PINTLE_RETURN_IF_ERROR(Write(value, false, 0, out, budget));
  return out;
}

Result<bool> Equal(const Value& a, const Value& b, Budget& budget) { return Same(a, b, 0, budget); }

Result<bool> Contains(const Value& a, const Value& b, Budget& budget) {
  if (b.Is(Kind::kText)) return a.Is(Kind::kText) && b.text->bytes.find(a.text->bytes) != std::string::npos;
  if (b.Is(Kind::kObject) || b.Is(Kind::kNamespace)) return a.Is(Kind::kText) && b.Find(a.text->bytes) != nullptr;
  if (!b.Is(Kind::kList)) return Wrong("'in' of what holds nothing");
  for (const Value& item : *b.list) {
    PINTLE_ASSIGN(const bool same, Equal(a, item, budget));
    if (same) return true;
  }
  return false;
}

Result<Value> At(const Value& value, const Value& index) {
  if (index.Is(Kind::kText)) {
    const Value* found = value.Find(index.text->bytes);
    return found != nullptr ? *found : Value();
  }
  if (!index.Is(Kind::kInteger)) return Value();
  const auto place = [&](size_t count) {
    const int64_t at = index.integer < 0 ? index.integer + static_cast<int64_t>(count) : index.integer;
    return at >= 0 && at < static_cast<int64_t>(count) ? static_cast<size_t>(at) : count;
  };
  if (value.Is(Kind::kList)) {
    const size_t at = place(value.list->size());
    return at < value.list->size() ? (*value.list)[at] : Value();
  }
  if (!value.Is(Kind::kText)) return Value();
  const std::vector<size_t> begins = Characters(value.text->bytes);
  const size_t at = place(begins.size() - 1);
  if (at + 1 >= begins.size()) return Value();
  return Value::Of(value.text->Part(begins[at], begins[at + 1] - begins[at]));
}

Result<Value> Slice(const Value& value, std::optional<int64_t> begin, std::optional<int64_t> end,
                    std::optional<int64_t> step, Budget& budget) {
  const int64_t by = step.value_or(1);
  if ((!value.Is(Kind::kList) && !value.Is(Kind::kText)) || by == 0) return Wrong("a slice of what has no order");
  std::vector<size_t> begins;
  if (value.Is(Kind::kText)) begins = Characters(value.text->bytes);
  const auto count = static_cast<int64_t>(value.Is(Kind::kText) ? begins.size() - 1 : value.list->size());
  PINTLE_RETURN_IF_ERROR(budget.Spend(count + 1, 0));
  const int64_t low = by > 0 ? 0 : -1, high = by > 0 ? count : count - 1;
  const auto bound = [&](std::optional<int64_t> part, int64_t otherwise) {
    if (!part) return otherwise;
    return std::clamp(*part < 0 ? *part + count : *part, low, high);
  };
  const int64_t first = bound(begin, by > 0 ? low : high), last = bound(end, by > 0 ? high : low);
  Text text;
  List list;
  for (int64_t i = first; by > 0 ? i < last : i > last; i += std::clamp(by, -count - 1, count + 1)) {
    const auto at = static_cast<size_t>(i);
    if (value.Is(Kind::kText))
      text.Append(value.text->Part(begins[at], begins[at + 1] - begins[at]));
    else
      list.push_back((*value.list)[at]);
  }
  return value.Is(Kind::kText) ? Made(std::move(text), budget) : Made(std::move(list), budget);
}

Result<List> Items(const Value& value, Budget& budget) {
  List items;
  if (value.Is(Kind::kList))
    items = *value.list;
  else if (value.Is(Kind::kObject)) {
    for (const auto& member : *value.members) items.push_back(Value::Of(Text(member.first, false)));
  } else if (value.Is(Kind::kText)) {
    const std::vector<size_t> begins = Characters(value.text->bytes);
    PINTLE_RETURN_IF_ERROR(budget.Spend(0, begins.size() * (sizeof(Value) + sizeof(Text))));
    for (size_t i = 0; i + 1 < begins.size(); ++i) {
      items.push_back(Value::Of(value.text->Part(begins[i], begins[i + 1] - begins[i])));
    }
  } else if (!value.Is(Kind::kUndefined)) {
    return Wrong("a loop over what has no items");
  }
  PINTLE_RETURN_IF_ERROR(budget.Spend(static_cast<int64_t>(items.size()), items.size() * sizeof(Value)));
  return items;
}

Result<Value> ApplyFilter(std::string_view name, const Value& value, const Arguments& arguments, Budget& budget) {
  if (name == "tojson") {
    std::string out;
    const int64_t indent = std::clamp<int64_t>(IntegerOr(arguments.Get(0, "indent"), 0), 0, 16);
    PINTLE_RETURN_IF_ERROR(WriteJson(value, indent, 0, out, budget));
    return Made(Text(out, false), budget);
  }
  if (name == "default" || name == "d") {
    const Value* other = arguments.Get(0, "default_value");
    const Value* falsy = arguments.Get(1, "boolean");
    const bool missing = value.Is(Kind::kUndefined) || (falsy != nullptr && falsy->Truth() && !value.Truth());
    return missing ? (other != nullptr ? *other : Value::Of(Text())) : value;
  }
  if (name == "length" || name == "count") {
    if (value.Is(Kind::kText)) return Value::Of(static_cast<int64_t>(Characters(value.text->bytes).size()) - 1);
    PINTLE_ASSIGN(const List items, Items(value, budget));
    return Value::Of(static_cast<int64_t>(items.size()));
  }
  if (name == "map" || name == "select" || name == "reject" || name == "selectattr" || name == "rejectattr") {
    return OverItems(name, value, arguments, budget);
  }
  if (name == "join") return Joined(value, arguments, budget);
  if (name == "items") return Pairs(value, false, budget);
  if (name == "dictsort") return Pairs(value, true, budget);
  if (name == "list" || name == "reverse" || name == "first" || name == "last") {
    PINTLE_ASSIGN(List items, Items(value, budget));
    if (name == "list") return Made(std::move(items), budget);
    if (name == "first") return items.empty() ? Value() : items.front();
    if (name == "last") return items.empty() ? Value() : items.back();
    std::reverse(items.begin(), items.end());
    return Made(std::move(items), budget);
  }
  if (name == "int" || name == "float") {
    double number = value.IsNumber() ? value.Number() : 0;
    if (value.Is(Kind::kText)) number = std::strtod(value.text->bytes.c_str(), nullptr);
    if (name == "float") return Value::Of(number);
    return Value::Of(number > -9e18 && number < 9e18 ? static_cast<int64_t>(number) : int64_t{0});
  }
  if (name == "abs" && value.IsNumber()) {
    if (value.integer == INT64_MIN) return Wrong("a number that is too large");
    return value.Is(Kind::kReal) ? Value::Of(std::abs(value.real))
                                 : Value::Of(value.integer < 0 ? -value.integer : value.integer);
  }
  PINTLE_ASSIGN(const Text text, ToText(value, budget));
  if (name == "string" || name == "safe") return Made(text, budget);
  for (const std::string_view method : {"trim", "upper", "lower", "title", "capitalize", "replace"}) {
    if (name == method) return TextMethod(text, name, arguments, budget);
  }
  return Wrong("there is no filter '" + std::string(name) + "' here");
}

Result<bool> ApplyTest(std::string_view name, const Value& value, const Arguments& arguments, Budget& budget) {
  const Value* other = arguments.Get(0, "");
  if (name == "defined") return !value.Is(Kind::kUndefined);
  if (name == "undefined") return value.Is(Kind::kUndefined);
  if (name == "none") return value.Is(Kind::kNone);
  if (name == "string") return value.Is(Kind::kText);
  if (name == "mapping") return value.Is(Kind::kObject);
  if (name == "iterable" || name == "sequence") {
    return value.Is(Kind::kList) || value.Is(Kind::kText) || value.Is(Kind::kObject);
  }
  if (name == "number") return value.IsNumber();
  if (name == "integer") return value.Is(Kind::kInteger);
  if (name == "float") return value.Is(Kind::kReal);
  if (name == "boolean") return value.Is(Kind::kBool);
  if (name == "true") return value.Is(Kind::kBool) && value.integer != 0;
  if (name == "false") return value.Is(Kind::kBool) && value.integer == 0;
  if (name == "odd") return value.Is(Kind::kInteger) && value.integer % 2 != 0;
  if (name == "even") return value.Is(Kind::kInteger) && value.integer % 2 == 0;
  if (other != nullptr) {
    if (name == "equalto" || name == "eq" || name == "sameas") return Equal(value, *other, budget);
    if (name == "ne") {
      PINTLE_ASSIGN(const bool same, Equal(value, *other, budget));
      return !same;
    }
    if (name == "in") return Contains(value, *other, budget);
    if (name == "divisibleby" && value.Is(Kind::kInteger) && other->Is(Kind::kInteger) && other->integer > 0) {
      return value.integer % other->integer == 0;
    }
  }
  return Wrong("there is no test '" + std::string(name) + "' here");
}

bool HasMethod(const Value& value, std::string_view name) {
  const auto in = [&](std::initializer_list<std::string_view> list) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  if (value.Is(Kind::kObject)) return in({"items", "keys", "values", "get"});
  return value.Is(Kind::kText) && in({"strip", "lstrip", "rstrip", "upper", "lower", "title", "capitalize",
                                      "startswith", "endswith", "split", "replace"});
}

Result<Value> CallMethod(const Value& value, std::string_view name, const Arguments& arguments, Budget& budget) {
  if (value.Is(Kind::kText)) return TextMethod(*value.text, name, arguments, budget);
  if (name == "items") return Pairs(value, false, budget);
  if (name == "get") {
    const Value* key = arguments.Get(0, "key");
    const Value* otherwise = arguments.Get(1, "default");
    const Value* found = key != nullptr && key->Is(Kind::kText) ? value.Find(key->text->bytes) : nullptr;
    return found != nullptr ? *found : otherwise != nullptr ? *otherwise : Value::None();
  }
  List list;
  for (const auto& [key, item] : *value.members) {
    list.push_back(name == "keys" ? Value::Of(Text(key, false)) : item);
  }
  return Made(std::move(list), budget);
}

}  // namespace pintle::jinja
