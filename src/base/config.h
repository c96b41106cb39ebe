// Typed configuration: a struct lists its fields once in Visit(); loading TOML, printing, hashing, documenting and
// did-you-mean all walk that one list.
//
//   struct FilterConfig {
//     int64_t max_lines = 5000;
//     void Visit(ConfigVisitor& v) { v.Section("filter"); v.Int("max_lines", max_lines, 1, 1000000, "longest file, in
//     lines"); }
//   };
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pintle {

/// Receives each field of a config struct. `help` is one line without a period; bounds are inclusive.
class ConfigVisitor {
 public:
  virtual ~ConfigVisitor() = default;
  /// The TOML table of the fields that follow ("" = top level; "a.b" = nested).
  virtual void Section(std::string_view name) = 0;
  virtual void Int(std::string_view key, int64_t& value, int64_t low, int64_t high, std::string_view help) = 0;
  virtual void Double(std::string_view key, double& value, double low, double high, std::string_view help) = 0;
  virtual void Bool(std::string_view key, bool& value, std::string_view help) = 0;
  /// `choices` empty = any text.
  virtual void String(std::string_view key, std::string& value, std::vector<std::string> choices,
                      std::string_view help) = 0;
  virtual void Strings(std::string_view key, std::vector<std::string>& value, std::string_view help) = 0;
};

/// Anything with Visit(ConfigVisitor&).
using ConfigFields = std::function<void(ConfigVisitor&)>;

/// Loads TOML text over the defaults. An unknown key, a wrong type or a value out of bounds is a config error with
/// file, line and a did-you-mean. Sections listed in `foreign` belong to other readers of the same file and are passed
/// over.
Status LoadConfig(std::string_view toml, const std::string& where, const ConfigFields& fields,
                  const std::vector<std::string>& foreign = {});
/// As LoadConfig from a file. FILE.local.toml beside it (train.toml -> train.local.toml), if present, is applied over
/// it.
Status LoadConfigFile(const std::filesystem::path& path, const ConfigFields& fields,
                      const std::vector<std::string>& foreign = {});
/// Applies one "section.key=value" (flags and environment).
Status SetConfigValue(std::string_view assignment, const std::string& where, const ConfigFields& fields);
/// The current values as TOML with each help line as a comment; the same values give the same bytes.
std::string DumpConfig(const ConfigFields& fields, bool with_help = true);
/// SHA-256 of DumpConfig without help.
std::string ConfigHash(const ConfigFields& fields);
/// The nearest of `words` to `word` if it is near enough to be a misspelling, else "".
std::string NearestWord(std::string_view word, const std::vector<std::string>& words);

}  // namespace pintle
