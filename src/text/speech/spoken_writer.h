// Puts the normaliser's output together so that it keeps the form that normalise.h promises. Internal to text/speech.
#pragma once

#include <string>
#include <string_view>

namespace pintle {

/// Words, letters and pauses in the order in which they are said.
class SpokenWriter {
 public:
  /// Words that already have the form of the output, with single blanks between them; "" does nothing.
  void Words(std::string_view words);
  /// The name of a letter, in any case.
  void Letter(char letter);
  /// Each letter of an ASCII word by its name; "s" at the end of capitals is a plural (CPUs).
  void Spell(std::string_view letters);
  /// One of . , ; : ? ! behind the last word: the stronger of two marks stays. Nothing before the first word.
  void Pause(char mark);
  /// Ends the sentence and the paragraph.
  void Paragraph();
  /// True where a sentence begins.
  [[nodiscard]] bool AtSentenceStart() const;
  [[nodiscard]] std::string Take() && { return std::move(text_); }

 private:
  void Separate();

  std::string text_;
  bool paragraph_ = false;  // a newline comes before the next word
};

}  // namespace pintle
