#include "serve/speech/speech_request.h"

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>

#include "serve/http/field_reader.h"
#include "serve/http/json_body.h"

namespace pintle {
namespace json = boost::json;
namespace {

size_t CodePoints(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

void ReadModel(FieldReader& in) {
  std::string model;
  if (!in.Text("model", model)) return in.Missing("model");
  if (std::find(std::begin(kSpeechModels), std::end(kSpeechModels), model) == std::end(kSpeechModels)) {
    in.Fail(ApiError{404, "there is no model '" + model + "' here; the models are listed by /v1/models", "model",
                     "model_not_found"});
  }
}

void ReadInput(FieldReader& in, std::string& text) {
  if (!in.Text("input", text)) return in.Missing("input");
  if (text.empty()) in.Fail("input", "is empty");
  if (const size_t length = CodePoints(text); length > kInputLimit) {
    in.Fail("input", "has " + std::to_string(length) + " characters; " + std::to_string(kInputLimit) + " are allowed",
            "string_above_max_length");
  }
}

// A name, or {"id": name}.
void ReadVoice(FieldReader& in, std::string& voice) {
  const json::value* field = in.Value("voice");
  if (field == nullptr) return in.Missing("voice");
  if (const json::object* object = field->if_object()) {
    FieldReader inner(*object, "voice.");
    if (!inner.Text("id", voice)) inner.Missing("id");
    if (inner.error()) return in.Fail(*inner.error());
  } else if (!in.Text("voice", voice)) {
    return;
  }
  if (FindVoiceName(voice) == nullptr) {
    in.Fail("voice", "'" + voice + "' is not known; the voices are listed by /v1/audio/voices");
  }
}

void ReadFormat(FieldReader& in, AudioFormat& format) {
  std::string name;
  if (!in.Text("response_format", name)) return;
  if (const auto found = FindAudioFormat(name)) {
    format = *found;
  } else {
    in.Fail("response_format", "must be mp3, opus, flac, wav or pcm, not '" + name + "'", "unsupported_value");
  }
}

void ReadStreamFormat(FieldReader& in, bool& events) {
  std::string name = "audio";
  in.Text("stream_format", name);
  events = name == "sse";
  if (!events && name != "audio") in.Fail("stream_format", "must be audio or sse, not '" + name + "'");
}

}  // namespace

MaybeApiError ParseSpeech(std::string_view body, SpeechRequest& request) {
  json::object object;
  if (MaybeApiError error = ParseBody(body, object)) return error;
  FieldReader in(object);
  ReadModel(in);
  ReadInput(in, request.options.text);
  ReadVoice(in, request.options.voice);
  ReadFormat(in, request.options.format);
  in.Number("speed", request.options.speed, kSlowestSpeech, kFastestSpeech);
  ReadStreamFormat(in, request.events);
  std::string instructions;
  const bool instructed = in.Text("instructions", instructions) && !instructions.empty();
  request.ignored = in.Ignored();
  if (instructed) request.ignored.emplace_back("instructions");
  return in.error();
}

}  // namespace pintle
