// Counters and histograms of a node in the text format of Prometheus.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "serve/node/engine_thread.h"

namespace pintle {

/// Safe from any number of threads.
class Metrics {
 public:
  /// A request was answered with this status.
  void CountRequest(const std::string& route, int status);
  /// An answer of a model ended.
  void CountAnswer(const std::string& model, const JobResult& result);
  /// A model was taken out of memory, because of "memory" or of a "request".
  void CountUnload(const std::string& model, const std::string& reason);
  /// Everything; `gauges` is text to put behind it.
  [[nodiscard]] std::string Render(const std::string& gauges) const;

 private:
  struct Histogram {
    std::array<int64_t, 12> counts{};  // of the buckets, the last one without a limit
    double sum = 0;
    int64_t count = 0;
  };
  struct Model {
    int64_t answers = 0, failures = 0, prompt_tokens = 0, cached_tokens = 0, completion_tokens = 0;
    Histogram first_token, queue, token;  // seconds
  };
  static void Observe(Histogram& histogram, double seconds);
  static void Print(const std::string& name, const std::string& model, const Histogram& histogram, std::string& out);

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, int64_t> requests_;
  std::map<std::string, Model> models_;
  std::map<std::pair<std::string, std::string>, int64_t> unloads_;
};

/// `text` as the value of a label.
std::string MetricLabel(const std::string& text);

}  // namespace pintle
