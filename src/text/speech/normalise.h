// English text as it is written -> the words that a voice says. The first step of speech; pieces.h cuts the result,
// models/speech/voice.h says the pieces.
//
// The steps: fold.h makes plain ASCII of any bytes; tokens are cut at blanks and lose the marks around them; each token
// is a number in one of many forms (spoken_number.cc), an address or another mixture of letters, digits and signs
// (spoken_mixture.cc), an abbreviation or a word (normalise.cc). One pass, every rule looks at most a few tokens ahead.
// It deliberately guesses no pronunciation: that is the voice's. Nothing that can be said is left out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pintle {

/// What a voice is given.
struct SpokenText {
  /// Words of a-z and ' with single blanks between them. One capital letter is the letter's name (also "U's"). The
  /// marks . , ; : ? ! stand directly behind a word. Paragraphs are parted by a newline. Empty if nothing can be said.
  std::string text;
  /// Characters that no rule can say: letters of other scripts, broken UTF-8.
  int64_t dropped = 0;
};

/// Linear in the text; any bytes are allowed.
SpokenText NormaliseForSpeech(std::string_view text);

}  // namespace pintle
