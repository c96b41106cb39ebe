#include "serve/speech/tts_node.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <thread>
#include <vector>

#include "base/json.h"
#include "serve/http/fake_response.h"
#include "serve/speech/speech_reply.h"
#include "serve/speech/speech_request.h"

namespace pintle {
namespace {

std::shared_ptr<FakeResponse> Speak(TtsNode& node, const std::string& body) {
  return Ask(node, "POST", "/v1/audio/speech", body);
}

std::string ErrorField(const FakeResponse& response, const char* field) {
  const auto body = ParseJson(response.body(), "answer");
  REQUIRE(body.ok());
  const boost::json::value& value = body->at("error").at(field);
  return value.is_null() ? "null" : std::string(value.as_string().c_str());
}

TEST_CASE("a request is read with every field") {
  SpeechRequest request;
  CHECK_FALSE(ParseSpeech(R"({"model":"tts-1","input":"hi","voice":"nova"})", request).has_value());
  CHECK(request.options.format == AudioFormat::kMp3);
  CHECK(request.options.speed == 1);
  CHECK_FALSE(request.events);
  CHECK(request.ignored.empty());
  SpeechRequest all;
  CHECK_FALSE(ParseSpeech(R"({"model":"flite","input":"hi","voice":{"id":"rms"},"response_format":"opus","speed":2,)"
                          R"("stream_format":"sse","instructions":"softly","emotion":1})",
                          all)
                  .has_value());
  CHECK(all.options.voice == "rms");
  CHECK(all.options.format == AudioFormat::kOpus);
  CHECK(all.options.speed == 2);
  CHECK(all.events);
  CHECK(all.ignored == std::vector<std::string>{"emotion", "instructions"});
}

TEST_CASE("what is wrong with a request is said with status, code and field") {
  struct Case {
    std::string body;
    int status;
    std::string code, param;
  };
  const std::string four_thousand(4096, 'a');
  const std::vector<Case> cases = {
      {"", 400, "invalid_json", ""},
      {"[]", 400, "invalid_json", ""},
      {R"({"input":"a","voice":"nova"})", 400, "missing_required_parameter", "model"},
      {R"({"model":"x","input":"a","voice":"nova"})", 404, "model_not_found", "model"},
      {R"({"model":"tts-1","voice":"nova"})", 400, "missing_required_parameter", "input"},
      {R"({"model":"tts-1","input":"","voice":"nova"})", 400, "invalid_value", "input"},
      {R"({"model":"tts-1","input":7,"voice":"nova"})", 400, "invalid_type", "input"},
      {R"({"model":"tts-1","input":"a)" + four_thousand + R"(","voice":"nova"})", 400, "string_above_max_length",
       "input"},
      {R"({"model":"tts-1","input":"a"})", 400, "missing_required_parameter", "voice"},
      {R"({"model":"tts-1","input":"a","voice":"nobody"})", 400, "invalid_value", "voice"},
      {R"({"model":"tts-1","input":"a","voice":{}})", 400, "missing_required_parameter", "voice.id"},
      {R"({"model":"tts-1","input":"a","voice":[]})", 400, "invalid_type", "voice"},
      {R"({"model":"tts-1","input":"a","voice":"nova","response_format":"aac"})", 400, "unsupported_value",
       "response_format"},
      {R"({"model":"tts-1","input":"a","voice":"nova","speed":4.01})", 400, "invalid_value", "speed"},
      {R"({"model":"tts-1","input":"a","voice":"nova","speed":"1"})", 400, "invalid_type", "speed"},
      {R"({"model":"tts-1","input":"a","voice":"nova","stream_format":"x"})", 400, "invalid_value", "stream_format"},
      {R"({"model":"tts-1","input":"a","voice":"nova","instructions":1})", 400, "invalid_type", "instructions"},
  };
  for (const Case& wrong : cases) {
    SpeechRequest request;
    const MaybeApiError error = ParseSpeech(wrong.body, request);
    CAPTURE(wrong.body.substr(0, 80));
    REQUIRE(error.has_value());
    CHECK(error->status == wrong.status);
    CHECK(error->code == wrong.code);
    CHECK(error->param == wrong.param);
  }
  SpeechRequest request;
  CHECK_FALSE(
      ParseSpeech(R"({"model":"tts-1","input":")" + four_thousand + R"(","voice":"nova"})", request).has_value());
}

TEST_CASE("base64") {
  CHECK(Base64("") == "");
  CHECK(Base64("f") == "Zg==");
  CHECK(Base64("fo") == "Zm8=");
  CHECK(Base64("foo") == "Zm9v");
  CHECK(Base64("\xFF\xFE\xFDz") == "//79eg==");
}

TEST_CASE("speech comes as bytes in parts, with the type of its format") {
  TtsNode node(4);
  const auto response =
      Speak(node, R"({"model":"tts-1","input":"Hello there.","voice":"nova","response_format":"wav","tone":1})");
  response->Wait();
  CHECK(response->status() == 200);
  CHECK(response->Header("content-type") == "audio/wav");
  CHECK(response->Header("x-pintle-ignored") == "tone");
  CHECK(response->body().substr(0, 4) == "RIFF");
  CHECK(response->body().size() > 20000);
  const auto again = Speak(node, R"({"model":"flite","input":"Hello there.","voice":"slt","response_format":"wav"})");
  CHECK(again->Wait().body() == response->body());
}

TEST_CASE("events carry the same bytes and end with the usage") {
  TtsNode node(4);
  const std::string head = R"({"model":"tts-1","input":"Hello there.","voice":"nova","response_format":"pcm")";
  const std::string plain = Speak(node, head + "}")->Wait().body();
  const auto events = Speak(node, head + R"(,"stream_format":"sse"})");
  events->Wait();
  CHECK(events->Header("content-type") == "text/event-stream");
  std::string last;
  size_t at = 0;
  const std::string& body = events->body();
  size_t sound_bytes = 0;
  while (at < body.size()) {
    const size_t end = body.find("\n\n", at);
    REQUIRE(end != std::string::npos);
    last = body.substr(at + 6, end - at - 6);
    const auto event = ParseJson(last, "event");
    REQUIRE(event.ok());
    if (const auto* audio = event->as_object().if_contains("audio")) {
      const std::string text(audio->as_string().c_str());
      sound_bytes += text.size() / 4 * 3 - static_cast<size_t>(std::count(text.end() - 2, text.end(), '='));
    }
    at = end + 2;
  }
  CHECK(sound_bytes == plain.size());
  CHECK(last.find(R"("type":"speech.audio.done")") != std::string::npos);
  CHECK(last.find(R"("usage":{"input_tokens":12,)") != std::string::npos);
}

TEST_CASE("recordings take turns, and a full queue says so") {
  TtsNode node(2);
  std::string text;
  for (int i = 0; i < 40; i++) text += "This is a sentence. ";
  const std::string body = R"({"model":"tts-1","input":")" + text + R"(","voice":"nova","response_format":"pcm"})";
  const auto first = Speak(node, body), second = Speak(node, body);
  const auto third = Speak(node, body);
  third->Wait();
  CHECK(third->status() == 429);
  CHECK(third->Header("retry-after") == "1");
  CHECK(ErrorField(*third, "type") == "rate_limit_error");
  CHECK(ErrorField(*third, "code") == "queue_full");
  second->WaitForWrites(1);  // long before the first one's end
  first->Leave();
  second->Leave();
  // Both places are free again soon.
  for (int i = 0; i < 1000; i++) {
    const auto next = Speak(node, R"({"model":"tts-1","input":"Hi.","voice":"nova","response_format":"pcm"})");
    if (next->Wait().status() == 200) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    REQUIRE(i < 999);
  }
  CHECK(Ask(node, "GET", "/metrics")->body().find("pintle_speech_cancelled_total 2") != std::string::npos);
}

TEST_CASE("the other routes") {
  TtsNode node(1);
  const auto voices = ParseJson(Ask(node, "GET", "/v1/audio/voices")->body(), "voices");
  REQUIRE(voices.ok());
  CHECK(voices->at("voices").as_array().size() == 15);
  CHECK(voices->at("voices").at(0).at("id") == "alloy");
  CHECK(voices->at("voices").at(0).at("speaker") == "slt");
  const auto models = ParseJson(Ask(node, "GET", "/v1/models")->body(), "models");
  REQUIRE(models.ok());
  CHECK(models->at("data").at(0).at("id") == "flite");
  CHECK(Ask(node, "GET", "/v1/models/tts-1")->status() == 200);
  CHECK(Ask(node, "GET", "/v1/models/x")->status() == 404);
  CHECK(Ask(node, "GET", "/health")->body() == "{\"status\":\"ok\"}\n");
  CHECK(Ask(node, "GET", "/ready")->body() == "{\"status\":\"ready\"}\n");
  CHECK(Ask(node, "GET", "/nowhere")->status() == 404);
  const auto wrong = Ask(node, "GET", "/v1/audio/speech");
  CHECK(wrong->status() == 405);
  CHECK(wrong->Header("allow") == "POST");
  const auto silent = Speak(node, "{\"model\":\"tts-1\",\"input\":\"\xF0\x9F\xA6\x80\",\"voice\":\"nova\"}");
  CHECK(silent->status() == 400);
  CHECK(ErrorField(*silent, "param") == "input");
}

}  // namespace
}  // namespace pintle
