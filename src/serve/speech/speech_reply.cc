#include "serve/speech/speech_reply.h"

#include <fmt/format.h>

#include <algorithm>

namespace pintle {
namespace {

constexpr int64_t kBacked = int64_t{256} << 10;  // bytes that wait for the client

}  // namespace

std::string Base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - at);
    uint32_t group = 0;
    for (size_t i = 0; i < 3; i++) group = group << 8 | (i < count ? static_cast<uint8_t>(bytes[at + i]) : 0U);
    for (size_t i = 0; i < 4; i++) text += i <= count ? kDigits[group >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

SpeechReply::SpeechReply(std::shared_ptr<HttpResponse> response, const SpeechRequest& request)
    : response_(std::move(response)),
      events_(request.events),
      format_(request.options.format),
      characters_(static_cast<int64_t>(request.options.text.size())),
      ignored_(request.ignored) {}

void SpeechReply::Begin() {
  std::vector<HttpHeader> headers = {{"content-type", std::string(AudioContentType(format_))}};
  if (events_) headers = {{"content-type", "text/event-stream"}, {"cache-control", "no-cache"}};
  if (!ignored_.empty()) headers.push_back({"x-pintle-ignored", HttpFieldList(ignored_)});
  response_->Begin(200, std::move(headers));
  begun_ = true;
}

bool SpeechReply::Write(std::string bytes) {
  if (!begun_) Begin();
  if (!events_) return response_->Write(std::move(bytes));
  return response_->Write("data: {\"type\":\"speech.audio.delta\",\"audio\":\"" + Base64(bytes) + "\"}\n\n");
}

void SpeechReply::End(double audio_seconds) {
  if (!begun_) Begin();
  if (events_) {
    // Tokens are the bytes of the input and tenths of a second of sound: there is no model that counts others.
    const auto tenths = static_cast<int64_t>(10 * audio_seconds);
    response_->Write(
        fmt::format("data: {{\"type\":\"speech.audio.done\",\"usage\":{{\"input_tokens\":{},"
                    "\"output_tokens\":{},\"total_tokens\":{}}}}}\n\n",
                    characters_, tenths, characters_ + tenths));
  }
  response_->End();
}

int SpeechReply::Fail(const Error& error) {
  if (begun_) {
    response_->Abort();
    return 200;
  }
  SendHttpError(*response_, 500, error.what, "speech_failed");
  return 500;
}

bool SpeechReply::Backed() const { return response_->Pending() > kBacked; }

}  // namespace pintle
