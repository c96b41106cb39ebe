// A recording on its way to an HTTP client: plain bytes, or OpenAI's server-sent events. Begins with the first bytes,
// so that a failure before them is still a whole answer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serve/http/server.h"
#include "serve/speech/speech_request.h"

namespace pintle {

/// Standard base64 with padding.
std::string Base64(std::string_view bytes);

/// One answer; any thread, one at a time.
class SpeechReply {
 public:
  SpeechReply(std::shared_ptr<HttpResponse> response, const SpeechRequest& request);

  /// False: the client left.
  bool Write(std::string bytes);
  /// The end; `audio_seconds` is told with the usage.
  void End(double audio_seconds);
  /// Before the first bytes a 500, later the stream is broken off. Returns the status that the client saw.
  int Fail(const Error& error);
  /// A client reads more slowly than it is served.
  [[nodiscard]] bool Backed() const;

 private:
  void Begin();

  std::shared_ptr<HttpResponse> response_;
  bool events_, begun_ = false;
  AudioFormat format_;
  int64_t characters_;
  std::vector<std::string> ignored_;
};

}  // namespace pintle
