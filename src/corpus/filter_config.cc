#include "corpus/filter_config.h"

namespace pintle {

std::string FilterConfig::Hash() const {
  FilterConfig copy = *this;
  return ConfigHash([&](ConfigVisitor& v) { copy.VisitFields(v, true); });
}

void FilterConfig::VisitFields(ConfigVisitor& v, bool hashed) {
  v.Section("filter.paths");
  v.Strings("excluded_folders", excluded_folders, "folders that are left out wherever they stand");
  v.Strings("excluded_beside_cargo", excluded_beside_cargo,
            "folders that are left out beside a Cargo.toml: build outputs");
  v.Strings("binding_crates", binding_crates,
            "crates (name, * = any run) that tools wrote from interface descriptions");
  v.Section("filter.licence");
  v.Strings("permissive", permissive, "SPDX identifiers that may stay, most preferred first");
  v.Section("filter.text");
  v.Int("min_bytes", min_bytes, 0, 1 << 20, "smallest file in bytes");
  v.Int("max_bytes", max_bytes, 1, 16 << 20, "largest file in bytes");
  v.Int("max_lines", max_lines, 1, 1'000'000, "most lines");
  v.Int("max_line_bytes", max_line_bytes, 1, 1 << 20, "longest line in bytes");
  v.Int("max_mean_line_bytes", max_mean_line_bytes, 1, 1 << 20, "largest mean of the line lengths in bytes");
  v.Int("min_letters_percent", min_letters_percent, 0, 100,
        "smallest share of letters in the bytes other than white space");
  v.Int("max_digits_percent", max_digits_percent, 0, 100, "largest share of decimal digits in the bytes");
  v.Int("max_number_tokens_percent", max_number_tokens_percent, 0, 100,
        "largest share of number literals in the tokens: tables");
  v.Int("min_blanks_percent", min_blanks_percent, 0, 100,
        "smallest share of white space in files of 1000 bytes and more: minified");
  v.Int("max_error_percent", max_error_percent, 0, 100, "largest share of bytes in syntax errors");
  v.Bool("redact_mails", redact_mails, "replace e-mail addresses in comments and strings");
  if (!hashed || comments != "keep") {
    v.String("comments", comments, {"keep", "docs", "none"},
             "which comments stay: all, those of documentation, or none");
  }
  v.Section("filter.duplicates");
  v.Int("near_percent", near_percent, 1, 100,
        "similarity (Jaccard, five-word shingles) from which two files are near duplicates");
  v.Int("version_percent", version_percent, 0, 100,
        "similarity from which the same path in two versions of a crate is an older version of one file");
  v.Strings(
      "keeper_order", keeper_order,
      "which of several duplicates stays: folder names, best first; the last one that a path holds counts, * = none");
  v.Section("filter.benchmarks");
  v.Int("words", benchmark_words, 5, 100, "a run of this many words shared with a task puts a file out");
}

bool WildcardMatch(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace pintle
