#include "serve/speech/tts_node.h"

#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <iterator>

#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "serve/speech/speech_reply.h"
#include "serve/speech/speech_request.h"

namespace pintle {
namespace json = boost::json;
namespace {

constexpr std::string_view kModelPath = "/v1/models/";
constexpr auto kBackedPause = std::chrono::milliseconds(5);  // when every client in work is slower than the voice

json::object ModelJson(std::string_view name) {
  return {{"id", name},
          {"object", "model"},
          {"created", 0},
          {"owned_by", "external"},
          {"root", kSpeechModels[0]},
          {"origin", "external"},
          {"licence", "MIT-CMU"},
          {"state", "loaded"},
          {"capabilities", {"speech"}}};
}

}  // namespace

struct TtsNode::Route {
  std::string_view method, path;
  void (TtsNode::*handle)(const HttpRequest&, const Response&);
};

// A recording in work.
struct TtsNode::Job {
  Job(std::unique_ptr<Speech> what, SpeechReply where, double when)
      : speech(std::move(what)), reply(std::move(where)), arrived(when) {}

  std::unique_ptr<Speech> speech;
  SpeechReply reply;
  double arrived;
  bool heard = false;             // the first sound was sent
  std::atomic<bool> left{false};  // the client is gone
};

const std::vector<TtsNode::Route>& TtsNode::Routes() {
  static const std::vector<Route> kRoutes = {
      {"POST", "/v1/audio/speech", &TtsNode::Speak}, {"GET", "/v1/audio/voices", &TtsNode::ListVoices},
      {"GET", "/v1/models", &TtsNode::ListModels},   {"GET", "/health", &TtsNode::Health},
      {"GET", "/ready", &TtsNode::Health},           {"GET", "/metrics", &TtsNode::ShowMetrics}};
  return kRoutes;
}

TtsNode::TtsNode(int64_t queue) : queue_(static_cast<size_t>(std::max<int64_t>(queue, 1))) {
  metrics_.DeclareCounter("pintle_requests_total", "answered requests by route and status");
  metrics_.DeclareCounter("pintle_speech_audio_seconds_total", "length of the recordings made");
  metrics_.DeclareCounter("pintle_speech_cancelled_total", "recordings whose client left before the end");
  metrics_.DeclareCounter("pintle_speech_dropped_characters_total", "characters that could not be said");
  metrics_.DeclareGauge("pintle_speech_active", "recordings in work");
  metrics_.DeclareHistogram("pintle_speech_first_audio_seconds", "from the request to the first bytes of sound",
                            LatencyBounds());
  speaker_ = std::thread([this] { Run(); });
}

TtsNode::~TtsNode() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  speaker_.join();
}

void TtsNode::SendJson(const HttpRequest& request, HttpResponse& response, const std::string& body) {
  metrics_.Add("pintle_requests_total", {{"route", request.path}, {"status", "200"}});
  response.Send(200, {{"content-type", "application/json"}}, body + "\n");
}

void TtsNode::SendError(const std::string& route, HttpResponse& response, const ApiError& error,
                        std::vector<HttpHeader> headers) {
  metrics_.Add("pintle_requests_total", {{"route", route}, {"status", std::to_string(error.status)}});
  SendHttpError(response, error.status, error.message, error.code, error.param, std::move(headers));
}

void TtsNode::Handle(HttpRequest request, Response response) {
  std::string allowed;
  for (const Route& route : Routes()) {
    if (route.path != request.path) continue;
    if (route.method == request.method) return (this->*route.handle)(request, response);
    allowed = route.method;
  }
  if (!allowed.empty()) {
    return SendError(request.path, *response,
                     {405, request.path + " takes " + allowed + ", not " + request.method, "", "method_not_allowed"},
                     {{"allow", allowed}});
  }
  if (request.method == "GET" && request.path.starts_with(kModelPath)) {
    return ShowModel(request.path.substr(kModelPath.size()), response);
  }
  SendError("other", *response, {404, "this node serves /v1/audio/speech, not " + request.path, "", "unknown_path"});
}

void TtsNode::Speak(const HttpRequest& request, const Response& response) {
  const double arrived = MonotonicSeconds();
  SpeechRequest wanted;
  if (const MaybeApiError error = ParseSpeech(request.body, wanted)) {
    return SendError(request.path, *response, *error);
  }
  auto speech = Speech::Create(voices_, wanted.options);
  if (!speech.ok()) {
    const bool clients_fault = speech.error().code == Code::kValidation;
    return SendError(request.path, *response,
                     clients_fault ? InvalidValue("input", speech.error().what)
                                   : ApiError{500, speech.error().what, "", "speech_failed"});
  }
  auto job = std::make_shared<Job>(std::move(*speech), SpeechReply(response, wanted), arrived);
  response->OnCancel([weak = std::weak_ptr<Job>(job)] {
    if (const auto alive = weak.lock()) alive->left = true;
  });
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (in_work_ < queue_) {
      in_work_++;
      jobs_.push_back(job);
      job.reset();
    }
  }
  if (job != nullptr) {
    return SendError(request.path, *response,
                     {429, std::to_string(queue_) + " recordings are in work, more are not taken", "", "queue_full"},
                     {{"retry-after", "1"}});
  }
  wake_.notify_one();
}

void TtsNode::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    const std::shared_ptr<Job> job = TakeTurn(lock);
    if (job == nullptr) continue;
    lock.unlock();
    const bool more = SayPiece(*job);
    lock.lock();
    if (more) {
      jobs_.push_back(job);
    } else {
      in_work_--;
    }
  }
}

// The next one whose client keeps up, taken out of the queue; null after a wait.
std::shared_ptr<TtsNode::Job> TtsNode::TakeTurn(std::unique_lock<std::mutex>& lock) {
  const auto ready = std::find_if(jobs_.begin(), jobs_.end(),
                                  [](const std::shared_ptr<Job>& job) { return job->left || !job->reply.Backed(); });
  if (ready == jobs_.end()) {
    if (jobs_.empty()) {
      wake_.wait(lock);
    } else {
      wake_.wait_for(lock, kBackedPause);
    }
    return nullptr;
  }
  std::shared_ptr<Job> job = *ready;
  jobs_.erase(ready);
  return job;
}

// False when the recording is over, one way or the other.
bool TtsNode::SayPiece(Job& job) {
  const Status said = job.speech->SayNext([&](std::string bytes) {
    if (!job.heard) {
      metrics_.Observe("pintle_speech_first_audio_seconds", {}, MonotonicSeconds() - job.arrived);
      job.heard = true;
    }
    return !job.left && job.reply.Write(std::move(bytes));
  });
  if (said.ok() && !job.speech->done()) return true;
  Finish(job, said);
  return false;
}

void TtsNode::Finish(Job& job, const Status& said) {
  int status = 200;
  if (!said.ok()) {
    LogWarning("tts-node", said.error().what);
    status = job.reply.Fail(said.error());
  } else if (job.speech->stopped()) {
    metrics_.Add("pintle_speech_cancelled_total", {});
  } else {
    job.reply.End(job.speech->audio_seconds());
  }
  metrics_.Add("pintle_requests_total", {{"route", "/v1/audio/speech"}, {"status", std::to_string(status)}});
  metrics_.Add("pintle_speech_audio_seconds_total", {}, job.speech->audio_seconds());
  metrics_.Add("pintle_speech_dropped_characters_total", {}, static_cast<double>(job.speech->dropped()));
}

void TtsNode::ListVoices(const HttpRequest& request, const Response& response) {
  json::array voices;
  for (const VoiceName& voice : VoiceNames()) {
    voices.emplace_back(json::object{{"id", voice.name},
                                     {"name", voice.name},
                                     {"object", "voice"},
                                     {"speaker", voice.speaker},
                                     {"language", "en-US"},
                                     {"origin", "external"},
                                     {"licence", "MIT-CMU"}});
  }
  SendJson(request, *response, DumpJson(json::object{{"object", "list"}, {"voices", std::move(voices)}}));
}

void TtsNode::ListModels(const HttpRequest& request, const Response& response) {
  json::array models;
  for (const std::string_view name : kSpeechModels) models.emplace_back(ModelJson(name));
  SendJson(request, *response, DumpJson(json::object{{"object", "list"}, {"data", std::move(models)}}));
}

void TtsNode::ShowModel(const std::string& name, const Response& response) {
  const std::string route = std::string(kModelPath) + "{id}";
  if (std::find(std::begin(kSpeechModels), std::end(kSpeechModels), name) == std::end(kSpeechModels)) {
    return SendError(route, *response, {404, "there is no model '" + name + "'", "model", "model_not_found"});
  }
  metrics_.Add("pintle_requests_total", {{"route", route}, {"status", "200"}});
  response->Send(200, {{"content-type", "application/json"}}, DumpJson(ModelJson(name)) + "\n");
}

void TtsNode::Health(const HttpRequest& request, const Response& response) {
  SendJson(request, *response, request.path == "/ready" ? R"({"status":"ready"})" : R"({"status":"ok"})");
}

void TtsNode::ShowMetrics(const HttpRequest& request, const Response& response) {
  metrics_.Add("pintle_requests_total", {{"route", request.path}, {"status", "200"}});
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    metrics_.Set("pintle_speech_active", {}, static_cast<double>(in_work_));
  }
  response->Send(200, {{"content-type", "text/plain; version=0.0.4"}}, metrics_.Text() + ProcessMetricsText());
}

}  // namespace pintle
