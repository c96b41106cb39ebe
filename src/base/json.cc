#include "base/json.h"

#include <boost/json.hpp>
#include <charconv>
#include <cmath>

namespace pintle {
namespace json = boost::json;
namespace {

// Bytes of the UTF-8 sign at the beginning of `text`, whose first byte is not ASCII; 0 if there is none.
size_t SignSize(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Over-long forms, surrogates, beyond U+10FFFF.
  const bool bad = (byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xed && byte(1) > 0x9f) ||
                   (byte(0) == 0xf0 && byte(1) < 0x90) || (byte(0) == 0xf4 && byte(1) > 0x8f);
  return bad ? 0 : size;
}

// Bytes that are no UTF-8 become U+FFFD: a JSON text holds nothing else.
void AppendQuoted(std::string_view text, std::string& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += '"';
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x80) {
      const size_t size = SignSize(text.substr(i));
      out += size == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(i, size);
      if (size > 0) i += size - 1;
      continue;
    }
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += kDigits[static_cast<unsigned char>(c) >> 4];
          out += kDigits[c & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void AppendDouble(double number, std::string& out) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  out.append(buffer, end);
}

struct Writer {
  int indent;
  std::string out;

  void Line(int depth) {
    if (indent == 0) return;
    out += '\n';
    out.append(static_cast<size_t>(indent) * static_cast<size_t>(depth), ' ');
  }

  void Write(const json::value& value, int depth) {
    switch (value.kind()) {
      case json::kind::null:
        out += "null";
        break;
      case json::kind::bool_:
        out += value.get_bool() ? "true" : "false";
        break;
      case json::kind::int64:
        out += std::to_string(value.get_int64());
        break;
      case json::kind::uint64:
        out += std::to_string(value.get_uint64());
        break;
      case json::kind::double_:
        AppendDouble(value.get_double(), out);
        break;
      case json::kind::string:
        AppendQuoted({value.get_string().data(), value.get_string().size()}, out);
        break;
      case json::kind::array: {
        out += '[';
        bool first = true;
        for (const auto& item : value.get_array()) {
          if (!first) out += ',';
          first = false;
          Line(depth + 1);
          Write(item, depth + 1);
        }
        if (!first) Line(depth);
        out += ']';
        break;
      }
      case json::kind::object: {
        out += '{';
        bool first = true;
        for (const auto& member : value.get_object()) {
          if (!first) out += ',';
          first = false;
          Line(depth + 1);
          AppendQuoted({member.key().data(), member.key().size()}, out);
          out += indent == 0 ? ":" : ": ";
          Write(member.value(), depth + 1);
        }
        if (!first) Line(depth);
        out += '}';
        break;
      }
    }
  }
};

const json::value* Find(const json::value& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  return object.get_object().if_contains({key.data(), key.size()});
}

Error Missing(std::string_view key, const char* type, const std::string& where) {
  return ValidationError("key '" + std::string(key) + "' is missing or is not " + type, where);
}

}  // namespace

Result<json::value> ParseJson(std::string_view text, const std::string& where) {
  json::error_code code;
  json::parse_options options;
  options.max_depth = 64;
  json::value value = json::parse({text.data(), text.size()}, code, {}, options);
  if (code) return ValidationError("not valid JSON: " + code.message(), where);
  return value;
}

std::string DumpJson(const json::value& value, int indent) {
  Writer writer{indent, {}};
  writer.Write(value, 0);
  return std::move(writer.out);
}

std::string JsonQuote(std::string_view text) {
  std::string out;
  AppendQuoted(text, out);
  return out;
}

Result<std::string> JsonString(const json::value& object, std::string_view key, const std::string& where) {
  const json::value* value = Find(object, key);
  if (value == nullptr || !value->is_string()) return Missing(key, "a string", where);
  return std::string(value->get_string().data(), value->get_string().size());
}

Result<int64_t> JsonInt(const json::value& object, std::string_view key, const std::string& where) {
  const json::value* value = Find(object, key);
  json::error_code code;
  const int64_t number = value == nullptr ? 0 : value->to_number<int64_t>(code);
  if (value == nullptr || !value->is_number() || code) return Missing(key, "an integer", where);
  return number;
}

Result<double> JsonDouble(const json::value& object, std::string_view key, const std::string& where) {
  const json::value* value = Find(object, key);
  if (value == nullptr || !value->is_number()) return Missing(key, "a number", where);
  json::error_code code;
  return value->to_number<double>(code);
}

Result<bool> JsonBool(const json::value& object, std::string_view key, const std::string& where) {
  const json::value* value = Find(object, key);
  if (value == nullptr || !value->is_bool()) return Missing(key, "true or false", where);
  return value->get_bool();
}

}  // namespace pintle
