// Fuzz target: any bytes lex, parse and have an outline whose spans lie in the source.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "text/rust/outline.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  constexpr int kEditions[] = {2015, 2018, 2021, 2024};
  pintle::rust::ParseOptions options;
  options.edition = kEditions[data[0] % 4];
  const std::string_view source(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto inside = [&](pintle::rust::Span span) { Require(span.begin <= span.end && span.end <= source.size()); };

  std::vector<pintle::rust::Token> tokens;
  pintle::rust::LexRust(source, tokens, options.edition);
  uint32_t at = 0;
  for (const auto& token : tokens) {
    inside({token.begin, token.end});
    Require(token.begin >= at);
    at = token.end;
  }
  const pintle::rust::Outline outline = pintle::rust::OutlineRust(source, options);
  const pintle::rust::ParseReport report = pintle::rust::ParseRust(source, options);
  Require(report.accepted == outline.report.accepted);
  Require(report.accepted == report.errors.empty());
  Require(report.error_bytes <= source.size());
  Require(report.steps <= 12 * tokens.size() + 100);
  for (const auto& error : report.errors) inside(error.span);
  for (const auto& item : outline.items) {
    inside(item.span);
    Require(item.parent < static_cast<int32_t>(outline.items.size()));
  }
  for (const auto& statement : outline.statements) inside(statement);
  for (const auto& function : outline.functions) {
    inside(function.signature);
    inside(function.body);
    Require(function.item < outline.items.size());
    static_cast<void>(pintle::rust::ClassifyBody(source, function));
    if (function.body.size() > 0) static_cast<void>(pintle::rust::ClosingBrace(source, function.body.begin));
  }
  static_cast<void>(pintle::rust::CrateRoots(outline));
  return 0;
}
