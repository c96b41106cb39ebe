// Cuts text into the pieces inside which BPE merges: the regular expression of Qwen2's tokenizer as a hand-written
// scanner. The first step of encoding and of training. It is no general regular-expression engine. Source:
// tokenizer.json of Qwen2 (pre_tokenizer, Split); Unicode 15.0.0 for \p{L}, \p{N} and \s.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pintle {

/// The expression that NextPieceEnd follows, as it stands in tokenizer.json.
inline constexpr std::string_view kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// The end of the piece that begins at text[begin]; begin < text.size(). Pieces follow each other without gaps. A byte
/// that is not part of valid UTF-8 counts as one character that is neither letter, number nor space. Linear in the
/// piece, but for a run of white space, which is looked at twice.
size_t NextPieceEnd(std::string_view text, size_t begin);

/// The expressions of foreign byte-level BPE vocabularies.
enum class PreTokenizer : uint8_t {
  kQwen2,   ///< as above
  kLlama3,  ///< the same, with up to three digits a piece
  kGpt2,    // '(s|t|re|ve|m|ll|d) | ?\p{L}+ | ?\p{N}+ | ?[^\s\p{L}\p{N}]+ | \s+(?!\S) | \s+
};
size_t NextPieceEnd(std::string_view text, size_t begin, PreTokenizer kind);

/// Calls piece(begin, end) for each piece of `text`.
template <typename Piece>
void ForEachPiece(std::string_view text, const Piece& piece) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = NextPieceEnd(text, begin);
    piece(begin, end);
    begin = end;
  }
}

/// Length in bytes of the valid UTF-8 character at text[at] (1 to 4), or 0: an invalid byte.
size_t Utf8CharacterLength(std::string_view text, size_t at);

}  // namespace pintle
