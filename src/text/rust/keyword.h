// Spelling to Keyword and back. Whether a keyword is reserved depends on the edition and is the parser's business.
#pragma once

#include <string_view>

#include "text/rust/lexer.h"

namespace pintle::rust {

/// The keyword that `word` spells, or kNone.
Keyword FindKeyword(std::string_view word);
/// The spelling; empty for kNone.
std::string_view KeywordText(Keyword keyword);
/// Whether `keyword` can be no identifier in `edition` (`_` included).
bool IsReserved(Keyword keyword, int edition);

inline constexpr int kKeywordCount = static_cast<int>(Keyword::kYeet) + 1;

}  // namespace pintle::rust
