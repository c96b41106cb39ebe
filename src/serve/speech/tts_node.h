// tts-node: OpenAI's speech API over the embedded voices. Which route does what, and whose turn it is to speak.
//
// Where it stands: cli/tts_node.cc -> this; HttpServer calls Handle on its thread, which parses and prepares the text;
// one thread of the node speaks, since Flite takes one call at a time. Requests in work take turns piece by piece, so
// that a short one does not wait for a long one, and who reads slowly misses its turns instead of holding up the rest.
// It deliberately opens no file and no address that a request names.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "serve/http/api_error.h"
#include "serve/http/metric_set.h"
#include "serve/http/server.h"
#include "serve/speech/voices.h"

namespace pintle {

/// The routes of one node. Outlives the server that calls it.
class TtsNode {
 public:
  /// `queue`: recordings in work at once; more are answered 429.
  explicit TtsNode(int64_t queue);
  /// Drops what is in work.
  ~TtsNode();
  TtsNode(const TtsNode&) = delete;
  TtsNode& operator=(const TtsNode&) = delete;

  /// An HttpHandler: answers now or later, never blocks.
  void Handle(HttpRequest request, std::shared_ptr<HttpResponse> response);

 private:
  using Response = std::shared_ptr<HttpResponse>;
  struct Route;
  struct Job;

  static const std::vector<Route>& Routes();
  void SendJson(const HttpRequest& request, HttpResponse& response, const std::string& body);
  void SendError(const std::string& route, HttpResponse& response, const ApiError& error,
                 std::vector<HttpHeader> headers = {});

  void Speak(const HttpRequest& request, const Response& response);
  void ListVoices(const HttpRequest& request, const Response& response);
  void ListModels(const HttpRequest& request, const Response& response);
  void ShowModel(const std::string& name, const Response& response);
  void Health(const HttpRequest& request, const Response& response);
  void ShowMetrics(const HttpRequest& request, const Response& response);

  void Run();
  std::shared_ptr<Job> TakeTurn(std::unique_lock<std::mutex>& lock);
  bool SayPiece(Job& job);
  void Finish(Job& job, const Status& said);

  const size_t queue_;
  MetricSet metrics_;
  VoiceSet voices_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Job>> jobs_;  // whose turn is next stands in front
  size_t in_work_ = 0;                     // jobs_ and the one that speaks
  bool stopping_ = false;
  std::thread speaker_;  // last: it uses all of the above
};

}  // namespace pintle
