// POST /v1/audio/speech: JSON in, a request out, with every type and range. Below this nobody sees JSON of a client.
// Source: OpenAI's API reference (create speech).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve/http/api_error.h"
#include "serve/speech/speech.h"

namespace pintle {

/// Code points of `input` at most, as in OpenAI's API.
inline constexpr size_t kInputLimit = 4096;

/// The one model here, and the names under which clients of OpenAI's API ask for it.
inline constexpr std::string_view kSpeechModels[] = {"flite", "tts-1", "tts-1-hd", "gpt-4o-mini-tts"};

/// One request, checked.
struct SpeechRequest {
  SpeechOptions options;
  bool events = false;               ///< server-sent events instead of plain bytes
  std::vector<std::string> ignored;  ///< fields of the body that mean nothing here
};

MaybeApiError ParseSpeech(std::string_view body, SpeechRequest& request);

}  // namespace pintle
