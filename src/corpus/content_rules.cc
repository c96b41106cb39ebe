#include "corpus/content_rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

#include "corpus/clean_text.h"
#include "corpus/licence_text.h"
#include "text/rust/parser.h"

namespace pintle {
namespace {

// Bytes of each sort, counted in one pass.
struct Counts {
  int64_t letters = 0, digits = 0, blanks = 0, lines = 0, longest_line = 0;
};

constexpr uint8_t kLetter = 1, kDigit = 2, kBlank = 4;
constexpr std::array<uint8_t, 256> kSorts = [] {
  std::array<uint8_t, 256> table{};
  for (int c = 0; c < 256; ++c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) table[c] = kLetter;
    if (c >= '0' && c <= '9') table[c] = kDigit;
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') table[c] = kBlank;
  }
  return table;
}();

Counts Count(std::string_view text) {
  Counts counts;
  std::array<int64_t, 8> sorts{};
  for (const char c : text) ++sorts[kSorts[static_cast<uint8_t>(c)]];
  counts.letters = sorts[kLetter];
  counts.digits = sorts[kDigit];
  counts.blanks = sorts[kBlank];
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    ++counts.lines;
    counts.longest_line = std::max(counts.longest_line, static_cast<int64_t>(end - begin));
    begin = end + 1;
  }
  return counts;
}

// `//~` behind code or alone: rustc's tests mark the lines where an error must be reported.
uint32_t CountErrorNotes(std::string_view text) {
  uint32_t count = 0;
  for (size_t at = text.find("//~"); at != std::string_view::npos; at = text.find("//~", at + 3)) ++count;
  for (size_t at = text.find("//["); at != std::string_view::npos; at = text.find("//[", at + 3)) {
    const std::string_view revisions = text.substr(at, 60);
    const size_t close = revisions.find(']');
    if (close != std::string_view::npos && revisions.substr(close).starts_with("]~")) ++count;
  }
  return count;
}

class Judge {
 public:
  Judge(const FilterConfig& config, ContentReport& report) : config_(config), report_(report) {}

  // Each returns true when the file fails.
  bool Size(std::string_view bytes) {
    const auto size = static_cast<int64_t>(bytes.size());
    return Fail(size < config_.min_bytes, Rule::kTooSmall, size) ||
           Fail(size > config_.max_bytes, Rule::kTooLarge, size);
  }
  bool Utf8(std::string_view bytes) {
    const size_t bad = FindBadUtf8(bytes);
    return Fail(bad != std::string_view::npos, Rule::kNotUtf8, static_cast<int64_t>(bad));
  }
  bool Shape(std::string_view text) {
    const Counts c = Count(text);
    const auto size = static_cast<int64_t>(text.size());
    const int64_t solid = std::max<int64_t>(size - c.blanks, 1);
    const int64_t mean = size / std::max<int64_t>(c.lines, 1);
    return Fail(c.lines > config_.max_lines, Rule::kTooManyLines, c.lines) ||
           Fail(c.longest_line > config_.max_line_bytes, Rule::kLongLine, c.longest_line) ||
           Fail(size > config_.max_mean_line_bytes * c.lines, Rule::kLongMeanLine, mean) ||
           Fail(c.letters * 100 < config_.min_letters_percent * solid, Rule::kFewLetters, c.letters * 100 / solid) ||
           Fail(c.digits * 100 > config_.max_digits_percent * size, Rule::kManyDigits, c.digits * 100 / size) ||
           Generated(text) ||
           Fail(size >= 1000 && c.blanks * 100 < config_.min_blanks_percent * size, Rule::kMinified,
                c.blanks * 100 / size);
  }
  bool NumberTable(const std::vector<rust::Token>& tokens) {
    int64_t numbers = 0, all = 0;
    for (const rust::Token& token : tokens) {
      if (rust::IsComment(token.kind) || token.kind == rust::TokenKind::kOuterDoc ||
          token.kind == rust::TokenKind::kInnerDoc) {
        continue;
      }
      ++all;
      numbers += token.kind == rust::TokenKind::kInteger || token.kind == rust::TokenKind::kFloat ? 1 : 0;
    }
    // Small files have few tokens: a share of them says nothing.
    return Fail(all >= 200 && numbers * 100 > config_.max_number_tokens_percent * all, Rule::kNumberTable,
                numbers * 100 / all);
  }
  bool Syntax(std::string_view text) {
    // The edition stands in the manifest of the crate, and one content may lie in several: the kindest edition counts.
    rust::ParseReport parsed;
    const auto size = static_cast<int64_t>(text.size());
    for (const int edition : {2021, 2024, 2015}) {
      rust::ParseReport attempt = rust::ParseRust(text, {.edition = edition, .max_errors = 1});
      if (edition == 2021 || attempt.error_bytes < parsed.error_bytes) parsed = std::move(attempt);
      if (static_cast<int64_t>(parsed.error_bytes) * 100 <= config_.max_error_percent * size) break;
    }
    const auto wrong = static_cast<int64_t>(parsed.error_bytes);
    if (!Fail(wrong * 100 > config_.max_error_percent * size, Rule::kSyntaxErrors, wrong * 100 / size)) return false;
    if (!parsed.errors.empty()) report_.detail = parsed.errors.front().message;
    return true;
  }
  bool Secret(std::string_view text) {
    const char* kind = "";
    const size_t at = FindSecret(text, &kind);
    if (!Fail(at != std::string_view::npos, Rule::kSecret, static_cast<int64_t>(at))) return false;
    report_.detail = kind;
    return true;
  }
  bool Benchmark(const BenchmarkIndex& benchmarks, std::string_view text, const ContentScratch& scratch) {
    BenchmarkIndex::Hit hit = benchmarks.Look(text, scratch.words, scratch.tokens);
    if (!Fail(hit.count > 0, Rule::kBenchmark, hit.count)) return false;
    report_.detail = std::move(hit.task);
    return true;
  }

 private:
  bool Generated(std::string_view text) {
    std::string note;
    const size_t at = FindGeneratedNote(text, note);
    if (!Fail(at != std::string_view::npos, Rule::kGenerated, static_cast<int64_t>(at))) return false;
    report_.detail = std::move(note);
    return true;
  }
  bool Fail(bool fails, Rule rule, int64_t value) {
    if (!fails) return false;
    report_.rule = rule;
    report_.value = value;
    return true;
  }
  const FilterConfig& config_;
  ContentReport& report_;
};

}  // namespace

ContentReport JudgeContent(std::string_view bytes, const FilterConfig& config, const BenchmarkIndex& benchmarks,
                           ContentScratch& scratch, Signature& signature) {
  ContentReport report;
  report.header_licence = HeaderLicence(bytes);
  report.error_notes = CountErrorNotes(bytes);
  Judge judge(config, report);
  if (judge.Size(bytes) || judge.Utf8(bytes) || judge.Shape(bytes)) return report;
  CleanText clean = CleanRust(bytes, config.redact_mails, scratch.tokens, CommentsNamed(config.comments));
  if (judge.NumberTable(scratch.tokens) || judge.Syntax(clean.text) || judge.Secret(clean.text)) return report;
  SplitWords(clean.text, scratch.words);
  if (judge.Benchmark(benchmarks, clean.text, scratch)) return report;
  MinHash(scratch.words, signature);
  report.clean_sha256 = Sha256Of(clean.text);
  report.clean_size = static_cast<uint32_t>(clean.text.size());
  report.lines = static_cast<uint32_t>(std::count(clean.text.begin(), clean.text.end(), '\n'));
  report.mails = clean.mails;
  return report;
}

size_t FindBadUtf8(std::string_view text) {
  const auto* s = reinterpret_cast<const uint8_t*>(text.data());
  const size_t size = text.size();
  for (size_t i = 0; i < size;) {
    uint64_t eight;
    if (i + 8 <= size && (std::memcpy(&eight, s + i, 8), (eight & 0x8080808080808080u) == 0)) {
      i += 8;
      continue;
    }
    const uint8_t c = s[i];
    if (c < 0x80) {
      ++i;
      continue;
    }
    const size_t length = c >= 0xc2 && c <= 0xdf ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
    if (length == 0 || i + length > size) return i;
    for (size_t k = 1; k < length; ++k) {
      if ((s[i + k] & 0xc0) != 0x80) return i;
    }
    // Overlong forms, surrogates, beyond U+10FFFF.
    if ((c == 0xe0 && s[i + 1] < 0xa0) || (c == 0xed && s[i + 1] > 0x9f) || (c == 0xf0 && s[i + 1] < 0x90) ||
        (c == 0xf4 && s[i + 1] > 0x8f)) {
      return i;
    }
    i += length;
  }
  return std::string_view::npos;
}

size_t FindGeneratedNote(std::string_view source, std::string& note) {
  // Said of the file as a whole, near its top; prose that only mentions generated things does not count.
  constexpr int kMaxLines = 20, kMaxStartLines = 6;
  static constexpr std::array<std::string_view, 6> kStarts = {"@generated",     "generated by",      "autogenerated",
                                                              "auto-generated", "automatically gen", "code generated"};
  static constexpr std::array<std::string_view, 5> kAnywhere = {"do not edit", "don't edit", "do not modify this file",
                                                                "not intended for manual editing", "is @generated"};
  std::string comments = LeadingComments(source, true);
  std::transform(comments.begin(), comments.end(), comments.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  size_t begin = 0;
  for (int number = 0; number < kMaxLines && begin < comments.size(); ++number) {
    const size_t end = std::min(comments.find('\n', begin), comments.size());
    const std::string_view line = std::string_view(comments).substr(begin, end - begin);
    const std::string_view text = line.substr(std::min(line.find_first_not_of("/*!#;- \t"), line.size()));
    const bool about_file =
        text.find("this file") != std::string_view::npos && text.find("generated") != std::string_view::npos;
    const bool found =
        about_file ||
        (number < kMaxStartLines &&
         std::any_of(
             kStarts.begin(), kStarts.end(), [&](std::string_view words) { return text.starts_with(words); })) ||
        std::any_of(kAnywhere.begin(), kAnywhere.end(),
                    [&](std::string_view words) { return text.find(words) != std::string_view::npos; });
    if (found) {
      note = text.substr(0, 120);
      return begin;
    }
    begin = end + 1;
  }
  return std::string_view::npos;
}

}  // namespace pintle
