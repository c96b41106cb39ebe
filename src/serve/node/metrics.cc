#include "serve/node/metrics.h"

#include <fmt/format.h>

namespace pintle {
namespace {

// Upper limits of the buckets in seconds: from one token of a tiny model to a long prompt of a large one.
constexpr std::array<double, 11> kLimits = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30};

void Head(const char* name, const char* type, const char* help, std::string& out) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

}  // namespace

std::string MetricLabel(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

void Metrics::Observe(Histogram& histogram, double seconds) {
  size_t bucket = 0;
  while (bucket < kLimits.size() && seconds > kLimits[bucket]) ++bucket;
  ++histogram.counts[bucket];
  histogram.sum += seconds;
  ++histogram.count;
}

void Metrics::CountRequest(const std::string& route, int status) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++requests_[{route, status}];
}

void Metrics::CountUnload(const std::string& model, const std::string& reason) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++unloads_[{model, reason}];
}

void Metrics::CountAnswer(const std::string& model, const JobResult& result) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Model& m = models_[model];
  ++(result.failure.ok() ? m.answers : m.failures);
  const Completion& completion = result.completion;
  Observe(m.queue, result.queue_seconds);
  if (completion.ids.empty()) return;
  m.prompt_tokens += completion.prompt_tokens;
  m.cached_tokens += completion.cached_tokens;
  m.completion_tokens += static_cast<int64_t>(completion.ids.size());
  Observe(m.first_token, result.queue_seconds + completion.prompt_seconds);
  if (completion.ids.size() > 1) {
    Observe(m.token,
            (completion.total_seconds - completion.prompt_seconds) / static_cast<double>(completion.ids.size() - 1));
  }
}

void Metrics::Print(const std::string& name, const std::string& model, const Histogram& histogram, std::string& out) {
  int64_t below = 0;
  for (size_t i = 0; i < histogram.counts.size(); ++i) {
    below += histogram.counts[i];
    const std::string limit = i < kLimits.size() ? fmt::format("{}", kLimits[i]) : "+Inf";
    out += fmt::format("{}_bucket{{model=\"{}\",le=\"{}\"}} {}\n", name, model, limit, below);
  }
  out += fmt::format("{}_sum{{model=\"{}\"}} {}\n{}_count{{model=\"{}\"}} {}\n", name, model, histogram.sum, name,
                     model, histogram.count);
}

std::string Metrics::Render(const std::string& gauges) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string out;
  Head("pintle_requests_total", "counter", "requests by route and status", out);
  for (const auto& [key, count] : requests_) {
    out += fmt::format("pintle_requests_total{{route=\"{}\",status=\"{}\"}} {}\n", MetricLabel(key.first), key.second,
                       count);
  }
  Head("pintle_unloads_total", "counter", "models taken out of memory, by reason", out);
  for (const auto& [key, count] : unloads_) {
    out += fmt::format("pintle_unloads_total{{model=\"{}\",reason=\"{}\"}} {}\n", MetricLabel(key.first), key.second,
                       count);
  }
  const struct {
    const char *name, *help;
    int64_t Model::* value;
  } counters[] = {{"pintle_answers_total", "answers that ended", &Model::answers},
                  {"pintle_answer_failures_total", "answers that the server failed", &Model::failures},
                  {"pintle_prompt_tokens_total", "tokens of prompts", &Model::prompt_tokens},
                  {"pintle_cached_tokens_total", "of them, found in the cache", &Model::cached_tokens},
                  {"pintle_completion_tokens_total", "tokens of answers", &Model::completion_tokens}};
  for (const auto& counter : counters) {
    Head(counter.name, "counter", counter.help, out);
    for (const auto& [model, m] : models_) {
      out += fmt::format("{}{{model=\"{}\"}} {}\n", counter.name, MetricLabel(model), m.*counter.value);
    }
  }
  const struct {
    const char *name, *help;
    Histogram Model::* value;
  } histograms[] = {{"pintle_first_token_seconds", "from the request to its first token", &Model::first_token},
                    {"pintle_queue_seconds", "waiting for a slot", &Model::queue},
                    {"pintle_token_seconds", "between two tokens, mean of an answer", &Model::token}};
  for (const auto& histogram : histograms) {
    Head(histogram.name, "histogram", histogram.help, out);
    for (const auto& [model, m] : models_) Print(histogram.name, MetricLabel(model), m.*histogram.value, out);
  }
  return out + gauges;
}

}  // namespace pintle
