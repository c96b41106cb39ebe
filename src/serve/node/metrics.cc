#include "serve/node/metrics.h"

namespace pintle {
namespace {

// Upper bounds of the buckets in seconds: from one token of a tiny model to a long prompt of a large one.
const std::vector<double>& Bounds() {
  static const std::vector<double> bounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30};
  return bounds;
}

}  // namespace

Metrics::Metrics() {
  set_.DeclareCounter("pintle_requests_total", "requests by route and status");
  set_.DeclareCounter("pintle_unloads_total", "models taken out of memory, by reason");
  set_.DeclareCounter("pintle_answers_total", "answers that ended");
  set_.DeclareCounter("pintle_answer_failures_total", "answers that the server failed");
  set_.DeclareCounter("pintle_prompt_tokens_total", "tokens of prompts");
  set_.DeclareCounter("pintle_cached_tokens_total", "of them, found in the cache");
  set_.DeclareCounter("pintle_completion_tokens_total", "tokens of answers");
  set_.DeclareGauge("pintle_model_loaded", "1 if the model is in memory");
  set_.DeclareGauge("pintle_model_memory_bytes", "memory of the model, loaded or not");
  set_.DeclareGauge("pintle_answers_active", "answers under way");
  set_.DeclareGauge("pintle_answers_waiting", "answers that wait for a slot");
  set_.DeclareHistogram("pintle_first_token_seconds", "from the request to its first token", Bounds());
  set_.DeclareHistogram("pintle_queue_seconds", "waiting for a slot", Bounds());
  set_.DeclareHistogram("pintle_token_seconds", "between two tokens, mean of an answer", Bounds());
}

void Metrics::CountRequest(const std::string& route, int status) {
  set_.Add("pintle_requests_total", {{"route", route}, {"status", std::to_string(status)}});
}

void Metrics::CountUnload(const std::string& model, const std::string& reason) {
  set_.Add("pintle_unloads_total", {{"model", model}, {"reason", reason}});
}

void Metrics::CountAnswer(const std::string& model, const JobResult& result) {
  const MetricLabels labels = {{"model", model}};
  const Completion& completion = result.completion;
  set_.Add(result.failure.ok() ? "pintle_answers_total" : "pintle_answer_failures_total", labels);
  set_.Observe("pintle_queue_seconds", labels, result.queue_seconds);
  if (completion.ids.empty()) return;
  const auto tokens = static_cast<double>(completion.ids.size());
  set_.Add("pintle_prompt_tokens_total", labels, static_cast<double>(completion.prompt_tokens));
  set_.Add("pintle_cached_tokens_total", labels, static_cast<double>(completion.cached_tokens));
  set_.Add("pintle_completion_tokens_total", labels, tokens);
  set_.Observe("pintle_first_token_seconds", labels, result.queue_seconds + completion.prompt_seconds);
  if (tokens > 1) {
    set_.Observe("pintle_token_seconds", labels, (completion.total_seconds - completion.prompt_seconds) / (tokens - 1));
  }
}

}  // namespace pintle
