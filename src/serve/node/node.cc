#include "serve/node/node.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <ctime>

#include "base/json.h"
#include "serve/http/field_reader.h"
#include "serve/http/json_body.h"
#include "serve/http/text.h"
#include "serve/node/prompts.h"
#include "serve/node/reply.h"

namespace pintle {
namespace json = boost::json;
namespace {

constexpr std::string_view kModelPath = "/v1/models/";

// Other APIs that clients try; what to use instead.
constexpr std::pair<std::string_view, std::string_view> kAbsent[] = {
    {"/v1/embeddings", "embeddings are not served here: the models only generate text"},
    {"/v1/responses", "the Responses API is not served here; use /v1/chat/completions"},
    {"/v1/messages", "Anthropic's Messages API is not served here; use /v1/chat/completions"}};

json::object ModelJson(const ModelShelf::View& view) {
  json::array capabilities = {"completion"};
  if (view.info.chats) capabilities.emplace_back("chat");
  if (view.info.infills) capabilities.emplace_back("fim");
  return {{"id", view.name},
          {"object", "model"},
          {"created", view.info.modified},
          {"owned_by", view.info.origin == "internal" ? "pintle" : "external"},
          {"origin", view.info.origin},
          {"licence", view.info.licence.empty() ? json::value() : json::value(view.info.licence)},
          {"context_window", view.info.context},
          {"parameters", view.info.parameters},
          {"state", StateName(view.state)},
          {"state_reason", view.reason.empty() ? json::value() : json::value(view.reason)},
          {"memory_bytes", view.memory_bytes},
          {"pinned", view.pinned},
          {"capabilities", std::move(capabilities)},
          {"weights_sha256", view.info.weights_sha256.empty() ? json::value() : json::value(view.info.weights_sha256)}};
}

}  // namespace

struct LlmNode::Route {
  std::string_view method, path;
  Parse parse;  // of routes that generate
  void (LlmNode::*handle)(const HttpRequest&, const Response&);
};

const std::vector<LlmNode::Route>& LlmNode::Routes() {
  static const std::vector<Route> kRoutes = {
      {"POST", "/v1/chat/completions", ParseChat, nullptr},
      {"POST", "/v1/completions", ParseCompletion, nullptr},
      {"POST", "/infill", ParseInfill, nullptr},
      {"POST", "/fim", ParseInfill, nullptr},
      {"POST", "/completion", ParseNative, nullptr},
      {"POST", "/generate", ParseNative, nullptr},
      {"GET", "/v1/models", nullptr, &LlmNode::ListModels},
      {"POST", "/v1/models/load", nullptr, &LlmNode::LoadModel},
      {"POST", "/v1/models/unload", nullptr, &LlmNode::UnloadModel},
      {"GET", "/health", nullptr, &LlmNode::Health},
      {"GET", "/ready", nullptr, &LlmNode::Ready},
      {"GET", "/status", nullptr, &LlmNode::Status},
      {"GET", "/metrics", nullptr, &LlmNode::ShowMetrics},
  };
  return kRoutes;
}

// What a generating request carries from the worker to the model and to the engine.
struct LlmNode::Call {
  HttpRequest http;
  Response response;
  GenerationRequest request;
};

Result<std::unique_ptr<LlmNode>> LlmNode::Create(const std::vector<ModelSpec>& models, const ShelfOptions& options) {
  auto node = std::unique_ptr<LlmNode>(new LlmNode());
  PINTLE_ASSIGN(node->shelf_, ModelShelf::Create(models, options, node->metrics_));
  return node;
}

void LlmNode::SendJson(const std::string& path, HttpResponse& response, int status, const std::string& body) {
  metrics_.CountRequest(path, status);
  response.Send(status, {{"content-type", "application/json"}}, body + "\n");
}

void LlmNode::SendError(const std::string& path, HttpResponse& response, const ApiError& error,
                        std::vector<HttpHeader> headers) {
  metrics_.CountRequest(path, error.status);
  if (error.status == 429 || error.status == 503) headers.push_back({"retry-after", "1"});
  SendHttpError(response, error.status, error.message, error.code, error.param, std::move(headers));
}

void LlmNode::Handle(HttpRequest request, Response response) {
  bool known = false;
  std::string allowed;
  for (const Route& route : Routes()) {
    if (route.path != request.path) continue;
    known = true;
    if (route.method == request.method) {
      if (route.parse != nullptr) return Generate(std::move(request), std::move(response), route.parse);
      return (this->*route.handle)(request, response);
    }
    allowed = route.method;
  }
  if (known) {
    return SendError(request.path, *response,
                     {405, request.path + " takes " + allowed + ", not " + request.method, "", "method_not_allowed"},
                     {{"allow", allowed}});
  }
  if (request.method == "GET" && request.path.starts_with(kModelPath)) {
    return ShowModel(response, PercentDecoded(std::string_view(request.path).substr(kModelPath.size())));
  }
  for (const auto& [path, reason] : kAbsent) {
    if (path == request.path) return SendError(request.path, *response, {404, std::string(reason), "", "not_served"});
  }
  // The path is the client's: it stands in no label and no message.
  SendError("other", *response,
            {404,
             "there is no such route; see /v1/models, /v1/chat/completions, /v1/completions, "
             "/infill",
             "", "not_found"});
}

void LlmNode::Generate(HttpRequest request, Response response, Parse parse) {
  auto call = std::make_shared<Call>(Call{std::move(request), std::move(response), {}});
  worker_->Post([this, call, parse] {
    if (const auto error = parse(call->http.body, call->request)) {
      return SendError(call->http.path, *call->response, *error);
    }
    shelf_->Use(call->request.model, [this, call](const std::shared_ptr<EngineThread>& engine, double load_seconds,
                                                  const MaybeApiError& error) {
      if (error) return SendError(call->http.path, *call->response, *error);
      Start(call, engine, load_seconds);
    });
  });
}

// The model is in memory: prompts, then one job for each answer.
void LlmNode::Start(const std::shared_ptr<Call>& call, const std::shared_ptr<EngineThread>& engine,
                    double load_seconds) {
  GenerationRequest& request = call->request;
  const LanguageModel& model = engine->model();
  std::vector<Prompt> prompts;
  auto error = BuildPrompts(model, request, prompts);
  if (!error) error = ConstrainTools(model, prompts[0].in_thoughts, request);
  if (error) return SendError(call->http.path, *call->response, *error);
  const auto answers = static_cast<int64_t>(prompts.size()) * request.choices;
  const EngineThread::Options& limits = engine->options();
  if (answers > limits.slots + limits.queue) {
    return SendError(call->http.path, *call->response,
                     InvalidValue("n", fmt::format("{} answers at once are wanted, this model gives at most {}",
                                                   answers, limits.slots + limits.queue)));
  }
  ReplyHead head;
  head.model = limits.name;
  head.id = call->http.request_id;
  head.reproducibility = ReproducibilityHash(model.info(), prompts, request);
  head.thinks = request.shape == AnswerShape::kChat && model.description().thinks();
  head.in_thoughts = prompts[0].in_thoughts;
  head.format = model.description().tool_format();
  head.created = static_cast<int64_t>(std::time(nullptr));
  head.totals.load_seconds = load_seconds;
  for (const Prompt& prompt : prompts) {
    head.totals.prompt_tokens += static_cast<int64_t>(prompt.ids.size());
    head.totals.cut_tokens += prompt.cut_tokens;
  }
  if (const auto* text = std::get_if<TextInput>(&request.input); text != nullptr && text->echo) {
    for (const auto& prompt : text->prompts) {
      const auto* ids = std::get_if<std::vector<int32_t>>(&prompt);
      std::string& echo = head.echoes.emplace_back(ids == nullptr ? std::get<std::string>(prompt) : std::string());
      if (ids == nullptr) continue;
      for (const int32_t id : *ids) echo += model.tokens().Bytes(id);
    }
  }
  if (!request.ignored.empty()) head.headers.push_back({"x-pintle-ignored", HttpFieldList(request.ignored)});
  if (head.totals.cut_tokens > 0) {
    head.headers.push_back({"x-pintle-truncated", std::to_string(head.totals.cut_tokens)});
  }
  head.on_sent = [this, path = call->http.path](int status) { metrics_.CountRequest(path, status); };
  head.on_answer = [this, name = head.model](const JobResult& result) { metrics_.CountAnswer(name, result); };
  const SampleOptions sample = request.sample;
  const int64_t choices = request.choices;
  head.request = std::move(request);
  const auto reply = std::make_shared<Reply>(std::move(head), call->response, static_cast<size_t>(answers));

  std::vector<Job> jobs;
  for (int64_t i = 0; i < answers; ++i) {
    Job& job = jobs.emplace_back();
    const auto at = static_cast<size_t>(i);
    job.prompt = prompts[static_cast<size_t>(i / choices)].ids;
    job.options = sample;
    job.options.choice = static_cast<uint32_t>(i % choices);
    job.on_text = [reply, at](std::string_view text) { return reply->OnText(at, text); };
    job.on_token = [reply, at](const TokenChoice& token) { reply->OnToken(at, token); };
    job.on_done = [reply, at](const JobResult& result) { reply->OnDone(at, result); };
  }
  const auto numbers = engine->Submit(std::move(jobs), [&] { reply->Begin(); });
  if (!numbers) {
    return SendError(
        call->http.path, *call->response,
        {429, fmt::format("the queue of '{}' is full: {} answers wait", limits.name, limits.queue), "", "queue_full"});
  }
  call->response->OnCancel([weak = std::weak_ptr<EngineThread>(engine), numbers = *numbers] {
    if (const auto alive = weak.lock()) {
      for (const int64_t number : numbers) alive->Cancel(number);
    }
  });
}

void LlmNode::ListModels(const HttpRequest& request, const Response& response) {
  shelf_->LookAround();
  json::array models;
  for (const ModelShelf::View& view : shelf_->List()) models.emplace_back(ModelJson(view));
  SendJson(request.path, *response, 200, DumpJson(json::object{{"object", "list"}, {"data", std::move(models)}}));
}

void LlmNode::ShowModel(const Response& response, const std::string& name) {
  const auto view = shelf_->Find(name);
  if (!view) {
    return SendError("/v1/models/{id}", *response,
                     {404, "there is no model '" + name + "'", "model", "model_not_found"});
  }
  SendJson("/v1/models/{id}", *response, 200, DumpJson(ModelJson(*view)));
}

// {"model": NAME, "pinned": true}: answers when it is in memory.
void LlmNode::LoadModel(const HttpRequest& request, const Response& response) {
  json::object body;
  MaybeApiError error = ParseBody(request.body, body);
  std::string name;
  bool pinned = false, has_pin = false;
  if (!error) {
    FieldReader in(body);
    if (!in.Text("model", name) || name.empty()) in.Missing("model");
    has_pin = in.Flag("pinned", pinned);
    error = in.error();
  }
  if (error) return SendError(request.path, *response, *error);
  shelf_->Use(name, [this, name, pinned, has_pin, path = request.path, response](const std::shared_ptr<EngineThread>&,
                                                                                 double, const MaybeApiError& failed) {
    if (failed) return SendError(path, *response, *failed);
    if (has_pin) shelf_->Pin(name, pinned);
    SendJson(path, *response, 200, DumpJson(ModelJson(*shelf_->Find(name))));
  });
}

// {"model": NAME}: answers when its memory is free.
void LlmNode::UnloadModel(const HttpRequest& request, const Response& response) {
  json::object body;
  MaybeApiError error = ParseBody(request.body, body);
  std::string name;
  if (!error) {
    FieldReader in(body);
    if (!in.Text("model", name)) in.Missing("model");
    error = in.error();
  }
  if (error) return SendError(request.path, *response, *error);
  shelf_->Unload(name, [this, name, path = request.path, response](const MaybeApiError& failed) {
    if (failed) return SendError(path, *response, *failed);
    SendJson(path, *response, 200, DumpJson(ModelJson(*shelf_->Find(name))));
  });
}

void LlmNode::Health(const HttpRequest& request, const Response& response) {
  SendJson(request.path, *response, 200, R"({"status":"ok"})");
}

void LlmNode::Ready(const HttpRequest& request, const Response& response) {
  if (shelf_->ready()) return SendJson(request.path, *response, 200, R"({"status":"ready"})");
  SendError(request.path, *response, {503, "models are being loaded", "", "loading"});
}

void LlmNode::Status(const HttpRequest& request, const Response& response) {
  json::array models;
  int64_t active = 0, waiting = 0;
  for (const ModelShelf::View& view : shelf_->List()) {
    active += view.load.active;
    waiting += view.load.waiting;
    models.emplace_back(json::object{{"id", view.name},
                                     {"state", StateName(view.state)},
                                     {"memory_bytes", view.memory_bytes},
                                     {"active", view.load.active},
                                     {"waiting", view.load.waiting}});
  }
  SendJson(request.path, *response, 200,
           DumpJson(json::object{{"status", shelf_->ready() ? "ready" : "loading"},
                                 {"active", active},
                                 {"waiting", waiting},
                                 {"models", std::move(models)}}));
}

void LlmNode::ShowMetrics(const HttpRequest& request, const Response& response) {
  metrics_.CountRequest(request.path, 200);
  for (const ModelShelf::View& view : shelf_->List()) {
    metrics_.SetGauge("pintle_model_loaded", view.name, view.state == ModelShelf::State::kLoaded ? 1 : 0);
    metrics_.SetGauge("pintle_model_memory_bytes", view.name, view.memory_bytes);
    metrics_.SetGauge("pintle_answers_active", view.name, view.load.active);
    metrics_.SetGauge("pintle_answers_waiting", view.name, view.load.waiting);
  }
  response->Send(200, {{"content-type", "text/plain; version=0.0.4"}}, metrics_.Text());
}

}  // namespace pintle
