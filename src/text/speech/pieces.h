// Cuts normalised text into the pieces that are said one by one, so that the first sound does not wait for the whole
// text. Behind normalise.h; speech (serve/speech) says the pieces in order.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pintle {

/// What comes after a piece, for the silence behind it.
enum class PieceEnd { kInside, kClause, kSentence, kParagraph };

/// One call of a voice.
struct SpokenPiece {
  std::string text;  ///< never empty; at most the limit
  PieceEnd end = PieceEnd::kSentence;
};

/// Sentences, and where one is longer than `limit` characters (at least 16) its clauses, else words, else letters.
/// Joined with blanks the pieces are the text again, but for words longer than the limit. Linear in the text.
std::vector<SpokenPiece> CutPieces(std::string_view spoken, size_t limit);

}  // namespace pintle
