// Normal form of a Rust file: what the dataset holds instead of the raw bytes. No byte order mark, LF line ends (as
// rustc itself reads a file), no trailing blanks, one newline at the end, e-mail addresses replaced, and without the
// comments that the settings do not want. The token stream stays: inside string literals and doc comments only the line
// ends change, and an address is replaced by one that stands for nobody.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/rust/lexer.h"

namespace pintle {

/// A text in its normal form, and what was done to it.
struct CleanText {
  std::string text;
  uint32_t mails = 0;  ///< addresses replaced
};

/// Which comments stay. Whole lines of the others go; inside a line a blank takes their place. A file whose other
/// tokens would change by that keeps all of them.
enum class Comments : uint8_t {
  kKeep,  ///< all
  kDocs,  ///< `///`, `//!` and the like: they are attributes of the item
  kNone,
};
/// "keep", "docs" or "none".
Comments CommentsNamed(std::string_view name);

/// The normal form of valid UTF-8; the same bytes give the same form, and the form of a form is itself. `tokens` is
/// scratch memory and holds the tokens of the result afterwards.
CleanText CleanRust(std::string_view source, bool redact_mails, std::vector<rust::Token>& tokens,
                    Comments comments = Comments::kKeep);

/// What stands in the place of an e-mail address.
inline constexpr std::string_view kRedactedMail = "redacted@example.com";

/// An e-mail address in text[0, size): begin and end of the first one from `from` on; begin == end == npos where there
/// is none. Addresses in reserved domains (example.com, localhost, *.invalid) and of well-known robots (git@) do not
/// count.
struct MailSpan {
  size_t begin = std::string_view::npos, end = std::string_view::npos;
};
MailSpan FindMail(std::string_view text, size_t from);

/// Offset of the first credential that looks real, npos if there is none: private keys with their body, access tokens
/// of known services, high-entropy values assigned to names such as secret or password. `kind` names it
/// ("aws-access-key").
size_t FindSecret(std::string_view text, const char** kind);

}  // namespace pintle
