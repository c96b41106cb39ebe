// One request's answers on their way to the client: whole, or streamed as server-sent events. Collects what the
// engine's thread reports and writes OpenAI's or llama.cpp's JSON. Streamed and whole answers hold the same text,
// tokens and reasons.
//
// Where it stands: engine_thread.h calls it, HttpResponse carries the bytes. It deliberately knows no routes.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "serve/http/server.h"
#include "serve/node/answer_json.h"
#include "serve/node/requests.h"
#include "serve/node/thoughts.h"

namespace pintle {

/// What is known before the first token.
struct ReplyHead {
  GenerationRequest request;
  std::string model, id;  ///< id: of the HTTP request
  std::string reproducibility;
  bool thinks = false;                      ///< the model may begin with thoughts
  bool in_thoughts = false;                 ///< the prompt opened them
  std::optional<ChatFormat> format;         ///< of calls, where tools are given
  int64_t created = 0;                      ///< seconds since 1970
  std::vector<std::string> echoes;          ///< text of each prompt, to stand before its answers; may be empty
  ReplyTotals totals;                       ///< prompt_tokens, cut_tokens, load_seconds
  std::vector<HttpHeader> headers;          ///< of the answer
  std::function<void(int status)> on_sent;  ///< for the metrics
  std::function<void(const JobResult&)> on_answer;
};

/// Begin first, from any thread; then everything from the engine's thread.
class Reply {
 public:
  Reply(ReplyHead head, std::shared_ptr<HttpResponse> response, size_t answers);

  /// Begins the stream, if it is one.
  void Begin();
  /// False: nobody listens any more.
  bool OnText(size_t answer, std::string_view text);
  void OnToken(size_t answer, const TokenChoice& token);
  /// After the last one the reply is complete.
  void OnDone(size_t answer, const JobResult& result);

 private:
  struct Answer {
    ThoughtSplitter splitter;
    std::optional<ToolCallReader> tools;  // where some may be called
    std::vector<ToolCall> calls;          // not sent yet
    std::string reasoning, content;       // not sent yet
    std::vector<TokenChoice> tokens;      // not sent yet
    int64_t offset = 0;                   // characters before `tokens`
    double began = 0;                     // when its first text came
    std::string finish_reason;
    bool done = false;
  };

  bool Event(const boost::json::value& value);
  bool SendDelta(size_t answer);
  void SendEnd(size_t answer);
  void SendWhole();
  void Fail(const Error& error);
  boost::json::object Head(const char* chat_object) const;
  void Take(Answer& answer, std::string_view text, bool last);
  boost::json::array CallsJson(size_t answer, bool delta);
  boost::json::object Choice(size_t answer, bool delta);
  boost::json::object NativeBody(size_t answer, bool whole);
  void AddFacts(boost::json::object& body) const;

  ReplyHead head_;
  std::shared_ptr<HttpResponse> response_;
  std::vector<Answer> answers_;
  ReplyTotals totals_;
  size_t left_;
  bool failed_ = false;
};

}  // namespace pintle
