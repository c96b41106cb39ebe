// Counters, gauges and histograms of a server, and their text for Prometheus. Each family is declared once with its
// help; a series comes to life with its first value.
//
// It deliberately has no registry of the process: an owner passes its MetricSet to who counts.
// Source: Prometheus text exposition format 0.0.4.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace pintle {

/// Label names and values in the order of the text: {{"model", "m31r-1m"}, {"status", "200"}}.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

/// name="value",... with what the format wants escaped.
std::string MetricLabelText(const MetricLabels& labels);

/// Resident memory of this process as a family of its own, in the name that Prometheus has for it.
std::string ProcessMetricsText();

/// Thread-safe. Values of labels must come from a bounded set, never straight from a request.
class MetricSet {
 public:
  /// A value that only grows; its name ends in _total.
  void DeclareCounter(const std::string& name, const std::string& help);
  /// A value that is set.
  void DeclareGauge(const std::string& name, const std::string& help);
  /// `bounds`: upper bounds of the buckets, ascending, without +Inf.
  void DeclareHistogram(const std::string& name, const std::string& help, std::vector<double> bounds);

  /// Adds to a counter.
  void Add(const std::string& name, const MetricLabels& labels, double value = 1);
  /// Sets a gauge.
  void Set(const std::string& name, const MetricLabels& labels, double value);
  /// Counts a value in a histogram.
  void Observe(const std::string& name, const MetricLabels& labels, double value);
  /// Removes every series of a family, e.g. before gauges of things that may be gone are set anew.
  void Clear(const std::string& name);

  /// Everything; families in the order of their names.
  [[nodiscard]] std::string Text() const;

 private:
  struct Series {
    double value = 0;                     // a histogram's sum
    std::vector<uint64_t> bucket_counts;  // one more than bounds
  };
  struct Family {
    std::string type, help;
    std::vector<double> bounds;
    std::map<std::string, Series> series;  // by the text of the labels
  };

  Family& Find(const std::string& name);

  mutable std::mutex mutex_;
  std::map<std::string, Family> families_;
};

/// Upper bounds in seconds for latencies from 1 ms to 2 minutes.
std::vector<double> LatencyBounds();

}  // namespace pintle
