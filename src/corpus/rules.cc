#include "corpus/rules.h"

#include <array>
#include <cstddef>

namespace pintle {
namespace {

struct Text {
  const char* id;
  const char* measure;
};

constexpr std::array<Text, kRuleCount> kTexts = {{
    {"kept", ""},
    {"not-rust", "the name does not end in .rs"},
    {"excluded-folder", "a folder that is left out"},
    {"binding-crate", "a crate written by a tool"},
    {"fork", "percent of the source's Rust files that an earlier source holds"},
    {"licence-unknown", "no licence record that is understood"},
    {"licence-not-permissive", "no branch of the licence is on the list"},
    {"too-small", "bytes"},
    {"too-large", "bytes"},
    {"not-utf8", "offset of the first bad byte"},
    {"too-many-lines", "lines"},
    {"long-line", "bytes in the longest line"},
    {"long-mean-line", "bytes in the mean line"},
    {"few-letters", "percent of the bytes other than white space that are letters"},
    {"many-digits", "percent of bytes that are digits"},
    {"generated", "offset of the note that a tool wrote the file"},
    {"minified", "percent of bytes that are white space"},
    {"number-table", "percent of tokens that are numbers"},
    {"expects-errors", "annotations of errors that the compiler must report"},
    {"syntax-errors", "percent of bytes in syntax errors"},
    {"secret", "offset of the credential"},
    {"benchmark", "word windows or signatures shared with a task"},
    {"duplicate", "the same text is kept elsewhere"},
    {"older-version", "percent similar to the newest version"},
    {"near-duplicate", "percent similar to the kept file of its group"},
}};

}  // namespace

const char* RuleId(Rule rule) { return kTexts[static_cast<size_t>(rule)].id; }
const char* RuleMeasure(Rule rule) { return kTexts[static_cast<size_t>(rule)].measure; }

}  // namespace pintle
