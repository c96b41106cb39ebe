// What a node counts: one place that knows the names of its metrics and what an answer adds to them.
#pragma once

#include <cstdint>
#include <string>

#include "serve/http/metric_set.h"
#include "serve/node/engine_thread.h"

namespace pintle {

/// Safe from any number of threads.
class Metrics {
 public:
  Metrics();
  /// A request was answered with this status.
  void CountRequest(const std::string& route, int status);
  /// An answer of a model ended.
  void CountAnswer(const std::string& model, const JobResult& result);
  /// A model was taken out of memory, because of "memory" or of a "request".
  void CountUnload(const std::string& model, const std::string& reason);
  /// What a model is and does at the moment, for one of the gauges that the constructor declares.
  void SetGauge(const std::string& gauge, const std::string& model, int64_t value) {
    set_.Set(gauge, {{"model", model}}, static_cast<double>(value));
  }
  /// All counters, gauges and histograms in the text format of Prometheus.
  [[nodiscard]] std::string Text() const { return set_.Text() + ProcessMetricsText(); }

 private:
  MetricSet set_;
};

}  // namespace pintle
