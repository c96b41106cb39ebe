#include "text/speech/spoken_writer.h"

namespace pintle {
namespace {

int Strength(char mark) {
  switch (mark) {
    case ',':
      return 1;
    case ';':
    case ':':
      return 2;
    case '.':
      return 3;
    case '?':
    case '!':
      return 4;
    default:
      return 0;
  }
}

}  // namespace

void SpokenWriter::Separate() {
  if (!text_.empty()) text_ += paragraph_ ? '\n' : ' ';
  paragraph_ = false;
}

void SpokenWriter::Words(std::string_view words) {
  if (words.empty()) return;
  Separate();
  text_ += words;
}

void SpokenWriter::Letter(char letter) {
  Separate();
  text_ += letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
}

void SpokenWriter::Spell(std::string_view letters) {
  const bool plural = letters.size() > 2 && letters.back() == 's' && letters[letters.size() - 2] < 'a';
  if (plural) letters.remove_suffix(1);
  for (const char letter : letters) Letter(letter);
  if (plural) text_ += "'s";
}

void SpokenWriter::Pause(char mark) {
  if (text_.empty() || paragraph_) return;
  if (Strength(text_.back()) == 0) {
    text_ += mark;
  } else if (Strength(mark) > Strength(text_.back())) {
    text_.back() = mark;
  }
}

void SpokenWriter::Paragraph() {
  Pause('.');
  paragraph_ = true;
}

bool SpokenWriter::AtSentenceStart() const { return text_.empty() || paragraph_ || Strength(text_.back()) >= 3; }

}  // namespace pintle
