// Reads the fields of a JSON object one by one, each with its type and range in one line, so that a request's
// definition reads as a table. The first thing wrong is kept with the field's name; what nobody asked for can be
// listed.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "serve/http/api_error.h"

namespace pintle {

/// One object of a request; it must outlive the reader. Each reading function returns true if the field is there (null
/// counts as missing, as in OpenAI's API) and right; after an error all of them return false.
class FieldReader {
 public:
  /// `path` stands before the names in errors: "messages[2]."
  explicit FieldReader(const boost::json::object& object, std::string path = {})
      : object_(&object), path_(std::move(path)) {}

  bool Text(std::string_view name, std::string& value);
  bool Flag(std::string_view name, bool& value);
  bool Integer(std::string_view name, int64_t& value, int64_t low, int64_t high);
  bool Number(std::string_view name, double& value, double low, double high);
  /// A string, or a list of `low` to `high` strings.
  bool Texts(std::string_view name, std::vector<std::string>& value, size_t low, size_t high);
  /// Null if missing.
  const boost::json::object* Object(std::string_view name);
  const boost::json::array* Array(std::string_view name);
  /// The field as it stands; null if missing.
  const boost::json::value* Value(std::string_view name);
  /// Accepted and without effect here.
  void Known(std::string_view name) { known_.emplace(name); }

  /// Records an error about a field, unless there is one already.
  void Fail(std::string_view name, const std::string& what, std::string code = "invalid_value");
  void Fail(ApiError error);
  void Missing(std::string_view name) { Fail(name, "is missing", "missing_required_parameter"); }
  [[nodiscard]] const MaybeApiError& error() const { return error_; }
  [[nodiscard]] bool ok() const { return !error_; }
  /// Names of the fields that were not asked for.
  [[nodiscard]] std::vector<std::string> Ignored() const;
  [[nodiscard]] std::string Path(std::string_view name) const { return path_ + std::string(name); }

 private:
  const boost::json::object* object_;
  std::string path_;
  std::set<std::string, std::less<>> known_;
  MaybeApiError error_;
};

}  // namespace pintle
