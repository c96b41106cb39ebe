// The rules that look at one file's content: from raw bytes to the first rule that it fails, or to its normal form with
// the measures that later rules compare. Pure functions of content and settings: the filter may judge a content once,
// whatever the number of its paths, and on any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "corpus/benchmark_index.h"
#include "corpus/filter_config.h"
#include "corpus/minhash.h"
#include "corpus/rules.h"
#include "text/rust/lexer.h"

namespace pintle {

/// What the content of a file amounts to.
struct ContentReport {
  Rule rule = Rule::kKept;     ///< the first content rule it fails
  int64_t value = 0;           ///< what that rule measured (RuleMeasure)
  std::string detail;          ///< the note, the kind of credential, the task, the syntax error
  std::string header_licence;  ///< licence_text.h; found for rejected files too
  uint32_t error_notes = 0;    ///< `//~` annotations: the compiler is expected to refuse the file
  // Of the normal form, only when rule is kKept:
  Sha256Digest clean_sha256{};
  uint32_t clean_size = 0;
  uint32_t lines = 0;
  uint32_t mails = 0;  ///< addresses replaced
};

/// Memory that one thread uses again for each file.
struct ContentScratch {
  std::vector<rust::Token> tokens;
  std::vector<WordHash> words;
};

/// Judges one file. `signature` is set when the file passes.
ContentReport JudgeContent(std::string_view bytes, const FilterConfig& config, const BenchmarkIndex& benchmarks,
                           ContentScratch& scratch, Signature& signature);

/// Offset of the first byte that is not part of well-formed UTF-8 (RFC 3629), npos if all is well.
size_t FindBadUtf8(std::string_view text);

/// Offset within the leading comments of a note that a tool wrote the file, npos without one; `note` is its line.
size_t FindGeneratedNote(std::string_view source, std::string& note);

}  // namespace pintle
