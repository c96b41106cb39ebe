// REUSE.toml and .reuse/dep5: licences of files by path pattern. Source: the REUSE specification, version 3.2.
#include "corpus/source_facts.h"
#include "corpus/toml_scan.h"

namespace pintle {
namespace {

constexpr size_t kMaxSize = size_t{1} << 20;
// Every file is held against every pattern; with more of them than this nothing below the record has a known licence.
constexpr size_t kMaxPatterns = 1000;

std::vector<ReuseRule> Bounded(std::vector<ReuseRule> rules) {
  size_t patterns = 0;
  for (const ReuseRule& rule : rules) patterns += rule.patterns.size();
  if (patterns <= kMaxPatterns) return rules;
  return {{{"**"}, "LicenseRef-too-many-patterns"}};
}

std::vector<std::string> TextOrTexts(const TomlValue& value) {
  return value.kind == TomlValue::Kind::kString ? std::vector<std::string>{value.text} : value.texts;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::vector<ReuseRule> ParseReuseToml(std::string_view text) {
  std::vector<ReuseRule> rules;
  if (text.size() > kMaxSize) return rules;
  ReuseRule rule;
  bool in_annotation = false;
  const auto end_annotation = [&] {
    if (!rule.patterns.empty() && !rule.licence.empty()) rules.push_back(std::move(rule));
    rule = {};
  };
  TomlEvents events;
  events.table = [&](const std::string& name, bool) {
    end_annotation();
    in_annotation = name == "annotations";
  };
  events.key = [&](const std::string& key, const TomlValue& value) {
    if (!in_annotation) return;
    if (key == "path") rule.patterns = TextOrTexts(value);
    if (key != "SPDX-License-Identifier") return;
    // Several identifiers all hold.
    for (const auto& licence : TextOrTexts(value))
      rule.licence += (rule.licence.empty() ? "(" : " AND (") + licence + ")";
  };
  if (!ScanToml(text, "REUSE.toml", events).ok()) return {};
  end_annotation();
  return Bounded(std::move(rules));
}

std::vector<ReuseRule> ParseReuseDep5(std::string_view text) {
  std::vector<ReuseRule> rules;
  if (text.size() > kMaxSize) return rules;
  ReuseRule rule;
  bool in_files = false;
  const auto add_patterns = [&](std::string_view list) {
    list = Trim(list);
    while (!list.empty()) {
      const size_t blank = list.find(' ');
      // dep5 globs: '*' crosses folders.
      std::string pattern;
      for (const char c : list.substr(0, blank)) pattern += c == '*' ? "**" : std::string(1, c);
      rule.patterns.push_back(std::move(pattern));
      list = blank == std::string_view::npos ? std::string_view() : Trim(list.substr(blank));
    }
  };
  const auto end_paragraph = [&] {
    if (!rule.patterns.empty() && !rule.licence.empty()) rules.push_back(std::move(rule));
    rule = {};
    in_files = false;
  };
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    const std::string_view line = text.substr(0, newline);
    text = newline == std::string_view::npos ? std::string_view() : text.substr(newline + 1);
    if (Trim(line).empty()) {
      end_paragraph();
    } else if (line.starts_with("Files:")) {
      add_patterns(line.substr(6));
      in_files = true;
    } else if (line.starts_with("License:")) {
      rule.licence = Trim(line.substr(8));
      in_files = false;
    } else if (line.front() == ' ' && in_files) {
      add_patterns(line);
    } else {
      in_files = false;
    }
  }
  end_paragraph();
  return Bounded(std::move(rules));
}

bool ReuseMatch(std::string_view pattern, std::string_view path) {
  // Greedy with one remembered star of each kind: linear in practice, quadratic at worst.
  size_t p = 0, s = 0;
  size_t star = std::string_view::npos, star_at = 0, deep = std::string_view::npos, deep_at = 0;
  while (s < path.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      size_t end = p;
      while (end < pattern.size() && pattern[end] == '*') ++end;
      if (end - p >= 2) {
        deep = end;
        deep_at = s;
        star = std::string_view::npos;
      } else {
        star = end;
        star_at = s;
      }
      p = end;
      continue;
    }
    const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
    if (p < pattern.size() && pattern[escaped ? p + 1 : p] == path[s]) {
      p += escaped ? 2 : 1;
      ++s;
    } else if (star != std::string_view::npos && path[star_at] != '/') {
      s = ++star_at;
      p = star;
    } else if (deep != std::string_view::npos) {
      s = ++deep_at;
      p = deep;
      star = std::string_view::npos;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace pintle
