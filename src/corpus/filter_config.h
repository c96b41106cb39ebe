// The settings of `m31r filter`: every threshold of every rule, in the order in which the rules are applied. Shares are
// whole percents so that every comparison is between integers. The shipped values stand in configs/m31r/filter.toml.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.h"

namespace pintle {

/// Section [filter]: the thresholds of the rules.
struct FilterConfig {
  std::vector<std::string> excluded_folders = {".git", "node_modules", "generated"};
  std::vector<std::string> excluded_beside_cargo = {"target", "dist"};
  std::vector<std::string> binding_crates = {"web-sys", "windows",  "windows-sys", "windows_*",
                                             "winapi*", "stm32f4*", "style-servo"};
  std::vector<std::string> permissive = {
      "MIT",   "Apache-2.0", "BSD-3-Clause", "BSD-2-Clause",     "ISC",          "Unlicense", "CC0-1.0", "Zlib", "0BSD",
      "MIT-0", "BSL-1.0",    "Unicode-3.0",  "Unicode-DFS-2016", "BSD-1-Clause", "NCSA",      "X11"};
  int64_t min_bytes = 64, max_bytes = 1'000'000;
  int64_t max_lines = 5000, max_line_bytes = 1000, max_mean_line_bytes = 100;
  int64_t min_letters_percent = 25, max_digits_percent = 20, max_number_tokens_percent = 35, min_blanks_percent = 5;
  int64_t max_error_percent = 5;
  bool redact_mails = true;
  std::string comments = "keep";
  int64_t near_percent = 70;
  int64_t version_percent = 10;
  std::vector<std::string> keeper_order = {"library", "compiler", "*", "tests", "vendor", "rustc-perf"};
  int64_t benchmark_words = 13;

  void Visit(ConfigVisitor& v) { VisitFields(v, false); }
  /// Identity of the settings. Comments that stay are not named in it: it is older than the setting.
  [[nodiscard]] std::string Hash() const;

 private:
  void VisitFields(ConfigVisitor& v, bool hashed);
};

/// True if `text` matches `pattern`, in which `*` stands for any run of signs.
bool WildcardMatch(std::string_view pattern, std::string_view text);

}  // namespace pintle
