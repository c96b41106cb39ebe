#include "corpus/licence_text.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace pintle {
namespace {

constexpr size_t kMaxText = size_t{64} << 10;
constexpr size_t kMaxHead = size_t{8} << 10;

// Lower case, every run of other signs than letters, digits and '.' one blank; blanks at both ends.
std::string Normalised(std::string_view text) {
  std::string out = " ";
  for (const char c : text.substr(0, kMaxText)) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) != 0 || c == '.') {
      out += static_cast<char>(std::tolower(u));
    } else if (out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.back() != ' ') out += ' ';
  return out;
}

bool Has(const std::string& text, std::string_view words) { return text.find(words) != std::string::npos; }

struct Fingerprint {
  const char* words;
  const char* licence;
};

// In this order, because these texts name one another: the MPL and the EUPL name the GNU licences, the LGPL the GPL.
constexpr std::array<Fingerprint, 15> kCopyleft = {{
    {"mozilla public license", "MPL-2.0"},
    {"european union public licence", "EUPL-1.2"},
    {"licensed under the eupl", "EUPL-1.2"},
    {"affero general public license", "AGPL-3.0-or-later"},
    {"lesser general public license", "LGPL-2.1-or-later"},
    {"library general public license", "LGPL-2.0-or-later"},
    {"gnu general public license", "GPL-2.0-or-later"},
    {"licensed under the gpl", "GPL-2.0-or-later"},
    {"eclipse public license", "EPL-2.0"},
    {"common development and distribution license", "CDDL-1.0"},
    {"business source license", "BUSL-1.1"},
    {"server side public license", "SSPL-1.0"},
    {"attribution sharealike", "CC-BY-SA-4.0"},
    {"attribution noncommercial", "CC-BY-NC-4.0"},
    {"open software license", "OSL-3.0"},
}};

constexpr std::array<Fingerprint, 12> kPermissive = {{
    {"granted free of charge to any person obtaining a copy of this software", "MIT"},
    {"granted free of charge to any person obtaining a copy of the unicode data files", "Unicode-DFS-2016"},
    {"granted free of charge to any person obtaining a copy of data files", "Unicode-3.0"},
    {" mit license", "MIT"},
    {"licensed under mit", "MIT"},
    {"this is free and unencumbered software released into the public domain", "Unlicense"},
    {"cc0 1.0 universal", "CC0-1.0"},
    {"altered source versions must be plainly marked as such", "Zlib"},
    {"boost software license", "BSL-1.0"},
    {"unicode license v3", "Unicode-3.0"},
    {"unicode inc. license agreement data files and software", "Unicode-DFS-2016"},
    {"apache license version 2.0", "Apache-2.0"},
}};

}  // namespace

std::string ClassifyLicenceText(std::string_view raw) {
  const std::string text = Normalised(raw);
  for (const auto& [words, licence] : kCopyleft) {
    if (Has(text, words)) return licence;
  }
  std::vector<std::string> found;
  const auto add = [&](const char* licence) {
    if (std::find(found.begin(), found.end(), licence) == found.end()) found.emplace_back(licence);
  };
  for (const auto& [words, licence] : kPermissive) {
    if (Has(text, words)) add(licence);
  }
  if (Has(text, "redistribution and use in source and binary forms")) {
    if (Has(text, "all advertising materials")) return "BSD-4-Clause";
    add(Has(text, "be used to endorse") ? "BSD-3-Clause" : "BSD-2-Clause");
  }
  if (Has(text, "distribute this software for any purpose with or without fee is hereby granted")) {
    add(Has(text, "provided that the above copyright notice") ? "ISC" : "0BSD");
  }
  const bool choice = Has(text, "at your option") || Has(text, " either ") || Has(text, " dual");
  std::string expression;
  for (const auto& licence : found) expression += (expression.empty() ? "" : choice ? " OR " : " AND ") + licence;
  return expression;
}

std::string LeadingComments(std::string_view source, bool with_docs) {
  source = source.substr(0, kMaxHead);
  if (source.starts_with("\xef\xbb\xbf")) source.remove_prefix(3);
  std::string out;
  size_t at = 0;
  while (at < source.size()) {
    const char c = source[at];
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      ++at;
      continue;
    }
    const std::string_view rest = source.substr(at);
    size_t size = 0;
    bool doc = false;
    if (rest.starts_with("//") || (at == 0 && rest.starts_with("#!") && !rest.starts_with("#!["))) {
      size = std::min(rest.find('\n'), rest.size());
      doc = rest.starts_with("//!") || (rest.starts_with("///") && !rest.starts_with("////"));
    } else if (rest.starts_with("/*")) {
      const size_t close = rest.find("*/", 2);
      size = close == std::string_view::npos ? rest.size() : close + 2;
      doc = rest.starts_with("/*!") ||
            (rest.starts_with("/**") && !rest.starts_with("/***") && !rest.starts_with("/**/"));
    } else {
      break;
    }
    if (with_docs || !doc) out.append(rest.substr(0, size)).append("\n");
    at += size;
  }
  return out;
}

std::string HeaderLicence(std::string_view source) {
  constexpr std::string_view kTag = "SPDX-License-Identifier:";
  const std::string all = LeadingComments(source, true);
  if (const size_t tag = all.find(kTag); tag != std::string::npos) {
    std::string_view line = std::string_view(all).substr(tag + kTag.size());
    line = line.substr(0, line.find_first_of("\r\n"));
    line = line.substr(0, line.find("*/"));
    while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    return std::string(line);
  }
  const std::string plain = LeadingComments(source, false);
  return plain.empty() ? "" : ClassifyLicenceText(plain);
}

bool IsLicenceFileName(std::string_view name) {
  std::string lower(name.substr(0, 16));
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  for (const std::string_view stem : {"license", "licence", "copying", "unlicense", "unlicence", "copyright"}) {
    if (!lower.starts_with(stem)) continue;
    const char next = lower.size() > stem.size() ? lower[stem.size()] : '-';
    return (next == '-' || next == '.' || next == '_') && !name.ends_with(".rs") && !name.ends_with(".html");
  }
  return false;
}

}  // namespace pintle
