// JSON by Boost.JSON, with our errors and our writer: keys in insertion order, doubles in the shortest form that reads
// back exactly, so that the same value always gives the same bytes.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pintle {

/// Parses one JSON value (depth at most 64, UTF-8 checked); `where` names the source in errors.
Result<boost::json::value> ParseJson(std::string_view text, const std::string& where);
/// Compact (indent 0) or with `indent` spaces a level. Non-finite doubles become null.
std::string DumpJson(const boost::json::value& value, int indent = 0);
/// `text` as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD.
std::string JsonQuote(std::string_view text);

/// Typed look-ups in an object; a missing key or a wrong type is a validation error that names the key and `where`.
Result<std::string> JsonString(const boost::json::value& object, std::string_view key, const std::string& where);
Result<int64_t> JsonInt(const boost::json::value& object, std::string_view key, const std::string& where);
Result<double> JsonDouble(const boost::json::value& object, std::string_view key, const std::string& where);
Result<bool> JsonBool(const boost::json::value& object, std::string_view key, const std::string& where);

}  // namespace pintle
