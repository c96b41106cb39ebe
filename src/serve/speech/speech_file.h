// A recording into a file, or as a stream to standard output: what `pintle say` does.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "serve/speech/speech.h"

namespace pintle {

/// What came of it. Times in seconds.
struct SpeechFigures {
  double audio_seconds = 0;
  double seconds = 0;              ///< from the call to the end
  double first_audio_seconds = 0;  ///< from the call to the first bytes of sound
  uint64_t bytes = 0;
  int64_t dropped = 0;  ///< characters of the text that could not be said
};

/// Says it into `path`, which then has the old content or the whole recording, also after a kill; "-" is standard
/// output. Memory does not grow with the text's length. An interrupt ends it with an error.
Result<SpeechFigures> RecordSpeech(const SpeechOptions& options, const std::string& path);

}  // namespace pintle
