#include "text/speech/pieces.h"

#include <algorithm>

#include "base/check.h"

namespace pintle {
namespace {

constexpr std::string_view kSentenceMarks = ".?!", kClauseMarks = ",;:";

// Where the piece at the beginning of `text` ends: behind a sentence, else at the best place within the limit.
size_t PieceLength(std::string_view text, size_t limit) {
  size_t word = 0, clause = 0;
  for (size_t at = 0; at < std::min(text.size(), limit + 1); at++) {
    const bool boundary = text[at] == ' ' || text[at] == '\n';
    if (!boundary) continue;
    if (text[at] == '\n' || kSentenceMarks.find(text[at - 1]) != std::string_view::npos) return at;
    if (kClauseMarks.find(text[at - 1]) != std::string_view::npos) clause = at;
    word = at;
  }
  if (text.size() <= limit) return text.size();
  return clause > 0 ? clause : word > 0 ? word : limit;
}

PieceEnd EndOf(std::string_view text, size_t length) {
  if (length < text.size() && text[length] == '\n') return PieceEnd::kParagraph;
  if (kSentenceMarks.find(text[length - 1]) != std::string_view::npos) return PieceEnd::kSentence;
  return kClauseMarks.find(text[length - 1]) != std::string_view::npos ? PieceEnd::kClause : PieceEnd::kInside;
}

}  // namespace

std::vector<SpokenPiece> CutPieces(std::string_view spoken, size_t limit) {
  PINTLE_CHECK(limit >= 16, "a piece must hold a word");
  std::vector<SpokenPiece> pieces;
  while (!spoken.empty()) {
    const size_t length = PieceLength(spoken, limit);
    pieces.push_back({std::string(spoken.substr(0, length)), EndOf(spoken, length)});
    spoken.remove_prefix(length);
    if (!spoken.empty() && (spoken[0] == ' ' || spoken[0] == '\n')) spoken.remove_prefix(1);
  }
  return pieces;
}

}  // namespace pintle
