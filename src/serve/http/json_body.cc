#include "serve/http/json_body.h"

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"

namespace pintle {
namespace json = boost::json;
namespace {

// Looks at keys alone.
struct KeyHandler {
  static constexpr size_t max_object_size = size_t(-1);
  static constexpr size_t max_array_size = size_t(-1);
  static constexpr size_t max_key_size = size_t(-1);
  static constexpr size_t max_string_size = size_t(-1);
  using Code = json::error_code;
  using Text = json::string_view;

  std::vector<std::set<std::string, std::less<>>> open;  // the keys of each object that is open
  std::string key, twice;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) {
    open.emplace_back();
    return true;
  }
  bool on_object_end(size_t, Code&) {
    open.pop_back();
    return true;
  }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(size_t, Code&) { return true; }
  bool on_key_part(Text part, size_t, Code&) {
    key.append(part.data(), part.size());
    return true;
  }
  bool on_key(Text part, size_t, Code& code) {
    key.append(part.data(), part.size());
    if (!open.back().insert(key).second) {
      twice = key;
      code = json::error::exception;
      return false;
    }
    key.clear();
    return true;
  }
  bool on_string_part(Text, size_t, Code&) { return true; }
  bool on_string(Text, size_t, Code&) { return true; }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(int64_t, Text, Code&) { return true; }
  bool on_uint64(uint64_t, Text, Code&) { return true; }
  bool on_double(double, Text, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }
};

}  // namespace

MaybeApiError ParseBody(std::string_view body, json::object& object) {
  auto parsed = ParseJson(body, "");
  if (!parsed.ok()) return ApiError{400, "the body is " + parsed.error().what, "", "invalid_json"};
  if (!parsed->is_object()) return ApiError{400, "the body is no JSON object", "", "invalid_json"};
  json::parse_options options;
  options.max_depth = 64;
  json::basic_parser<KeyHandler> keys(options);
  json::error_code code;
  keys.write_some(false, body.data(), body.size(), code);
  if (!keys.handler().twice.empty() || code) {
    const std::string& key = keys.handler().twice;
    return ApiError{400, "the key '" + key + "' stands twice in one object", key, "duplicate_key"};
  }
  object = std::move(parsed->get_object());
  return {};
}

}  // namespace pintle
