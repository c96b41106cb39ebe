// The Rust parser: says whether rustc's own parser would take a file and, where not, which bytes are at fault. The
// corpus filter gates on it, and the outline (outline.h) is recorded while it runs. It checks syntax only: no macro
// expansion, no names, no checks that rustc makes on the finished tree; files behind `mod name;` are not looked for.
// Source: The Rust Reference and the behaviour of `rustc -Z parse-crate-only` (see docs/decisions.md for the version
// compared with).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/rust/lexer.h"

namespace pintle::rust {

/// Edition and limits.
struct ParseOptions {
  int edition = 2021;
  /// Nested groups, blocks, types, patterns or expressions deeper than this are an error. About 1 kB of stack a level.
  int max_depth = 500;
  /// Errors kept with their message; those beyond are counted in error_bytes only.
  int max_errors = 50;
};

/// One syntax error.
struct ParseError {
  Span span;
  std::string message;  ///< as "expected `;`, found `}`"
};

/// The verdict over a file.
struct ParseReport {
  bool accepted = false;           ///< rustc's parser would accept the file: no error at all
  std::vector<ParseError> errors;  ///< in the order of their discovery
  uint64_t error_bytes = 0;        ///< bytes of the source that no rule covers: the union of the skipped spans
  uint64_t steps = 0;              ///< tokens looked at, re-reading included: linear in the source (tested)
};

/// Parses a file as a crate root or module. Total: any bytes, any nesting. Thread-safe, keeps nothing.
ParseReport ParseRust(std::string_view source, const ParseOptions& options = {});

/// The share of `source` in errors, in 1/10000 (0 for an empty source).
uint32_t ErrorShare(const ParseReport& report, std::string_view source);

}  // namespace pintle::rust
