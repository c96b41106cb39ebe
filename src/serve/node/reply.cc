#include "serve/node/reply.h"

#include <boost/json.hpp>
#include <utility>

#include "base/json.h"
#include "base/time.h"

namespace pintle {
namespace json = boost::json;
namespace {

// The value at "a/b" of an object, or null if there is none.
const json::value* At(const json::object& object, std::string_view path) {
  const size_t slash = path.find('/');
  const std::string_view name = path.substr(0, slash);
  const json::value* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr || slash == std::string_view::npos) return value;
  return value->is_object() ? At(value->get_object(), path.substr(slash + 1)) : nullptr;
}

}  // namespace

Reply::Reply(ReplyHead head, std::shared_ptr<HttpResponse> response, size_t answers)
    : head_(std::move(head)), response_(std::move(response)), totals_(head_.totals), left_(answers) {
  for (size_t i = 0; i < answers; ++i) {
    answers_.push_back({ThoughtSplitter(head_.thinks, head_.in_thoughts), {}, {}, {}, {}, {}, 0, 0, {}, false});
    const auto* chat = std::get_if<ChatInput>(&head_.request.input);
    if (chat != nullptr && !chat->tools.empty()) answers_[i].tools.emplace(*head_.format, chat->tools);
    if (!head_.echoes.empty()) {
      answers_[i].content = head_.echoes[i / static_cast<size_t>(head_.request.choices)];
      for (const char c : answers_[i].content) answers_[i].offset += (static_cast<uint8_t>(c) & 0xc0) != 0x80 ? 1 : 0;
    }
  }
}

bool Reply::Event(const json::value& value) { return response_->Write("data: " + DumpJson(value) + "\n\n"); }

// id, object, created, model, system_fingerprint: what every body of OpenAI's begins with.
json::object Reply::Head(const char* chat_object) const {
  const bool chat = head_.request.shape == AnswerShape::kChat;
  return {{"id", (chat ? "chatcmpl-" : "cmpl-") + head_.id},
          {"object", chat ? chat_object : "text_completion"},
          {"created", head_.created},
          {"model", head_.model},
          {"system_fingerprint", "fp_" + head_.reproducibility.substr(0, 16)}};
}

void Reply::AddFacts(json::object& body) const {
  body["seed"] = head_.request.seed;
  body["timings"] = TimingsJson(totals_);
  body["reproducibility"] = head_.reproducibility;
}

void Reply::Begin() {
  if (!head_.request.stream) return;
  std::vector<HttpHeader> headers = head_.headers;
  headers.push_back({"content-type", "text/event-stream; charset=utf-8"});
  headers.push_back({"cache-control", "no-cache"});
  response_->Begin(200, std::move(headers));
  for (size_t i = 0; i < answers_.size(); ++i) {
    if (head_.request.shape == AnswerShape::kChat) {
      json::object body = Head("chat.completion.chunk");
      body["choices"] = json::array{json::object{{"index", i},
                                                 {"delta", json::object{{"role", "assistant"}, {"content", ""}}},
                                                 {"logprobs", nullptr},
                                                 {"finish_reason", nullptr}}};
      if (head_.request.include_usage) body["usage"] = nullptr;
      Event(body);
    } else if (!answers_[i].content.empty()) {
      SendDelta(i);
    }
  }
}

json::array Reply::CallsJson(size_t answer, bool delta) {
  json::array list;
  for (const ToolCall& call : std::exchange(answers_[answer].calls, {})) {
    json::object item;
    if (delta) item["index"] = list.size();
    // The model's own id where it has one; else one that is unique in the conversation.
    item["id"] = call.id.empty() ? "call_" + head_.id + "_" + std::to_string(answer) + "_" + std::to_string(list.size())
                                 : call.id;
    item["type"] = "function";
    item["function"] = json::object{{"name", call.name}, {"arguments", call.arguments}};
    list.emplace_back(std::move(item));
  }
  return list;
}

// What an answer has and the client has not: as a delta, or as the whole message.
json::object Reply::Choice(size_t answer, bool delta) {
  Answer& a = answers_[answer];
  json::object choice = {{"index", answer}};
  const bool wanted = head_.request.sample.top_logprobs >= 0;
  const std::vector<TokenChoice> tokens = std::exchange(a.tokens, {});
  const std::string content = std::exchange(a.content, {}), reasoning = std::exchange(a.reasoning, {});
  if (head_.request.shape == AnswerShape::kChat) {
    json::object message;
    if (!delta) message = {{"role", "assistant"}, {"content", content}, {"refusal", nullptr}};
    if (delta && !content.empty()) message["content"] = content;
    if (!a.calls.empty()) {
      message["tool_calls"] = CallsJson(answer, delta);
      if (!delta && content.empty()) message["content"] = nullptr;
    }
    if (!reasoning.empty()) message["reasoning_content"] = reasoning;
    choice[delta ? "delta" : "message"] = std::move(message);
    choice["logprobs"] = wanted && (!delta || !tokens.empty()) ? json::value(ChatLogprobs(tokens)) : json::value();
  } else {
    choice["text"] = content;
    choice["logprobs"] =
        wanted && (!delta || !tokens.empty()) ? json::value(CompletionLogprobs(tokens, a.offset)) : json::value();
  }
  choice["finish_reason"] = a.finish_reason.empty() ? json::value() : json::value(a.finish_reason);
  return choice;
}

json::object Reply::NativeBody(size_t answer, bool whole) {
  Answer& a = answers_[answer];
  json::object body = {{"index", answer}, {"content", std::exchange(a.content, {})}, {"stop", a.done}};
  if (const auto tokens = std::exchange(a.tokens, {}); !tokens.empty()) {
    body["completion_probabilities"] = ChatLogprobs(tokens)["content"];
  }
  if (!a.done) return body;
  const SampleOptions& s = head_.request.sample;
  body["model"] = head_.model;
  body["tokens_predicted"] = totals_.completion_tokens;
  body["tokens_evaluated"] = totals_.prompt_tokens;
  body["tokens_cached"] = totals_.cached_tokens;
  body["truncated"] = totals_.cut_tokens > 0;
  // With stop texts it is not known which of the two ended it.
  if (a.finish_reason == "length" || s.stop.empty()) body["stop_type"] = a.finish_reason == "length" ? "limit" : "eos";
  body["generation_settings"] = json::object{
      {"n_predict", s.max_tokens}, {"seed", head_.request.seed}, {"temperature", s.temperature}, {"top_k", s.top_k},
      {"top_p", s.top_p},          {"min_p", s.min_p},           {"typical_p", s.typical_p}};
  AddFacts(body);
  if (!whole || head_.request.response_fields.empty()) return body;
  json::object chosen;
  for (const std::string& path : head_.request.response_fields) {
    if (const json::value* value = At(body, path)) chosen[path] = *value;
  }
  return chosen;
}

bool Reply::SendDelta(size_t answer) {
  const Answer& a = answers_[answer];
  if (a.content.empty() && a.reasoning.empty() && a.calls.empty()) return true;
  if (head_.request.shape == AnswerShape::kNative) return Event(NativeBody(answer, false));
  json::object body = Head("chat.completion.chunk");
  body["choices"] = json::array{Choice(answer, true)};
  if (head_.request.include_usage) body["usage"] = nullptr;
  return Event(body);
}

// Parts new text into thoughts, calls and content.
void Reply::Take(Answer& a, std::string_view text, bool last) {
  std::string content;
  a.splitter.Push(text, a.reasoning, content);
  if (last) a.splitter.Finish(a.reasoning, content);
  if (a.tools) {
    content = a.tools->Push(content);
    if (last) {
      content += a.tools->Finish();
      a.calls = a.tools->calls();
    }
  }
  a.content += content;
}

bool Reply::OnText(size_t answer, std::string_view text) {
  Answer& a = answers_[answer];
  if (head_.request.prompt_only || failed_) return !failed_;
  Take(a, text, false);
  if (a.began == 0) a.began = MonotonicSeconds();
  // An answer that may only take so long ends with a line.
  const bool late = head_.request.predict_ms > 0 && text.find('\n') != std::string_view::npos &&
                    1000 * (MonotonicSeconds() - a.began) > static_cast<double>(head_.request.predict_ms);
  return (!head_.request.stream || SendDelta(answer)) && !late;
}

void Reply::OnToken(size_t answer, const TokenChoice& token) { answers_[answer].tokens.push_back(token); }

void Reply::SendEnd(size_t answer) {
  if (head_.request.shape == AnswerShape::kNative) {
    Event(NativeBody(answer, false));
    return;
  }
  json::object body = Head("chat.completion.chunk");
  body["choices"] = json::array{Choice(answer, true)};
  if (head_.request.include_usage) body["usage"] = nullptr;
  if (left_ == 0) AddFacts(body);
  Event(body);
  if (left_ > 0) return;
  if (head_.request.include_usage) {
    body = Head("chat.completion.chunk");
    body["choices"] = json::array();
    body["usage"] = UsageJson(totals_);
    Event(body);
  }
  response_->Write("data: [DONE]\n\n");
}

void Reply::SendWhole() {
  json::object body;
  if (head_.request.shape == AnswerShape::kNative) {
    body = NativeBody(0, true);
  } else {
    body = Head("chat.completion");
    json::array choices;
    for (size_t i = 0; i < answers_.size(); ++i) choices.emplace_back(Choice(i, false));
    body["choices"] = std::move(choices);
    body["usage"] = UsageJson(totals_);
    AddFacts(body);
  }
  std::vector<HttpHeader> headers = head_.headers;
  headers.push_back({"content-type", "application/json"});
  response_->Send(200, std::move(headers), DumpJson(body) + "\n");
}

void Reply::Fail(const Error& error) {
  failed_ = true;
  // Nothing here is the client's fault: what was, was refused before the engine saw it.
  const std::string message = "the answer could not be completed: " + error.what;
  head_.on_sent(503);
  if (!head_.request.stream) {
    SendHttpError(*response_, 503, message, "engine_failed", {}, {{"retry-after", "1"}});
    return;
  }
  response_->Write("data: " + HttpErrorBody(503, message, "engine_failed") + "\n");
  response_->End();
}

void Reply::OnDone(size_t answer, const JobResult& result) {
  --left_;
  head_.on_answer(result);
  if (failed_) return;
  if (!result.failure.ok()) return Fail(result.failure.error());
  Answer& a = answers_[answer];
  Take(a, {}, true);
  const bool called = !a.calls.empty();
  if (head_.request.stream) SendDelta(answer);
  a.finish_reason =
      called && result.completion.finish_reason == "stop" ? "tool_calls" : result.completion.finish_reason;
  a.done = true;
  totals_.Add(result);
  if (head_.request.stream) SendEnd(answer);
  if (left_ > 0) return;
  head_.on_sent(200);
  if (head_.request.stream) {
    response_->End();
  } else {
    SendWhole();
  }
}

}  // namespace pintle
