#include "corpus/clean_text.h"

#include <algorithm>
#include <cstring>

namespace pintle {
namespace {

using rust::Token;
using rust::TokenKind;

// A carriage return that ends no line is white space to rustc too.
bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// Without byte order mark, with "\r\n" as "\n", without carriage returns at the end.
std::string_view Unify(std::string_view source, std::string& buffer) {
  while (source.starts_with("\xef\xbb\xbf")) source.remove_prefix(3);
  if (std::memchr(source.data(), '\r', source.size()) == nullptr) return source;
  buffer.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    size_t end = i;
    while (end < source.size() && source[end] == '\r') ++end;
    if (end == source.size()) break;
    if (source[end] == '\n') i = end;
    buffer += source[i];
  }
  return buffer;
}

bool HasTrailingBlanks(std::string_view text) {
  for (size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    if (at > 0 && IsBlank(text[at - 1])) return true;
  }
  return !text.empty() && IsBlank(text.back());
}

// Tokens whose inner text a program can see: blanks in them stay.
bool Keeps(TokenKind kind) { return !rust::IsComment(kind); }

bool HoldsText(TokenKind kind) {
  switch (kind) {
    case TokenKind::kString:
    case TokenKind::kByteString:
    case TokenKind::kCString:
    case TokenKind::kRawString:
    case TokenKind::kRawByteString:
    case TokenKind::kRawCString:
    case TokenKind::kLineComment:
    case TokenKind::kBlockComment:
    case TokenKind::kOuterDoc:
    case TokenKind::kInnerDoc:
      return true;
    default:
      return false;
  }
}

bool Stays(TokenKind kind, Comments comments) {
  if (kind == TokenKind::kOuterDoc || kind == TokenKind::kInnerDoc) return comments != Comments::kNone;
  return comments == Comments::kKeep || !rust::IsComment(kind);
}

// A comment alone on its lines takes them along; else a blank parts what stood on both sides of it.
std::string DropComments(std::string_view text, const std::vector<Token>& tokens, Comments comments) {
  std::string out;
  out.reserve(text.size());
  size_t done = 0;
  for (const Token& token : tokens) {
    if (Stays(token.kind, comments)) continue;
    out.append(text.substr(done, token.begin - done));
    size_t line = out.size(), behind = token.end;
    while (line > 0 && IsBlank(out[line - 1])) --line;
    while (behind < text.size() && IsBlank(text[behind])) ++behind;
    if ((line == 0 || out[line - 1] == '\n') && (behind == text.size() || text[behind] == '\n')) {
      out.resize(line);
      done = std::min(behind + 1, text.size());
    } else {
      out += ' ';
      done = token.end;
    }
  }
  return out.append(text.substr(done));
}

// True if `after` are the tokens of `before` that stay, letter for letter.
bool SameTokens(std::string_view text_before, const std::vector<Token>& before, std::string_view text_after,
                const std::vector<Token>& after, Comments comments) {
  size_t next = 0;
  for (const Token& token : before) {
    if (!Stays(token.kind, comments)) continue;
    if (next == after.size() || after[next].kind != token.kind) return false;
    if (after[next].Text(text_after) != token.Text(text_before)) return false;
    ++next;
  }
  return next == after.size();
}

// Drops blanks before line ends outside tokens that keep them.
std::string StripTrailing(std::string_view text, const std::vector<Token>& tokens) {
  std::string out;
  out.reserve(text.size());
  size_t token = 0;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = text.find('\n', begin);
    const bool last = end == std::string_view::npos;
    if (last) end = text.size();
    size_t cut = end;
    while (cut > begin && IsBlank(text[cut - 1])) --cut;
    if (cut != end) {
      // The token that covers the blank at `cut`, if any.
      while (token < tokens.size() && tokens[token].end <= cut) ++token;
      if (token < tokens.size() && tokens[token].begin <= cut && cut < tokens[token].end && Keeps(tokens[token].kind))
        cut = end;
    }
    out.append(text.substr(begin, cut - begin));
    if (!last) out += '\n';
    begin = end + 1;
  }
  return out;
}

std::string Redact(std::string_view text, const std::vector<Token>& tokens, uint32_t& mails) {
  std::string out;
  size_t done = 0;
  for (const Token& token : tokens) {
    if (!HoldsText(token.kind)) continue;
    const std::string_view body = token.Text(text);
    for (MailSpan mail = FindMail(body, 0); mail.begin != std::string_view::npos; mail = FindMail(body, mail.end)) {
      out.append(text.substr(done, token.begin + mail.begin - done)).append(kRedactedMail);
      done = token.begin + mail.end;
      ++mails;
    }
  }
  out.append(text.substr(done));
  return out;
}

}  // namespace

Comments CommentsNamed(std::string_view name) {
  return name == "none" ? Comments::kNone : name == "docs" ? Comments::kDocs : Comments::kKeep;
}

CleanText CleanRust(std::string_view source, bool redact_mails, std::vector<Token>& tokens, Comments comments) {
  CleanText clean;
  std::string buffer, bare;
  std::string_view unified = Unify(source, buffer);
  rust::LexRust(unified, tokens);
  if (comments != Comments::kKeep) {
    bare = DropComments(unified, tokens, comments);
    std::vector<Token> left;
    rust::LexRust(bare, left);
    // Where the rest would read otherwise (a stray quote, a second line that would become a shebang), it is no Rust.
    if (SameTokens(unified, tokens, bare, left, comments)) {
      unified = bare;
      tokens.swap(left);
    }
  }
  if (HasTrailingBlanks(unified)) {
    clean.text = StripTrailing(unified, tokens);
    rust::LexRust(clean.text, tokens);
  } else {
    clean.text = unified;
  }
  if (redact_mails && clean.text.find('@') != std::string::npos) {
    std::string redacted = Redact(clean.text, tokens, clean.mails);
    if (clean.mails > 0) {
      clean.text = std::move(redacted);
      rust::LexRust(clean.text, tokens);
    }
  }
  while (clean.text.ends_with("\n\n")) clean.text.pop_back();
  if (!clean.text.empty() && !clean.text.ends_with('\n')) clean.text += '\n';
  return clean;
}

}  // namespace pintle
