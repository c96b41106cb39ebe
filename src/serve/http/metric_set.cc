#include "serve/http/metric_set.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <numeric>

#include "base/check.h"

namespace pintle {
namespace {

std::string Braced(const std::string& labels) { return labels.empty() ? "" : "{" + labels + "}"; }

}  // namespace

std::string MetricLabelText(const MetricLabels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    text += fmt::format("{}{}=\"", text.empty() ? "" : ",", name);
    for (const char c : value) {
      if (c == '"' || c == '\\') text += '\\';
      if (c == '\n') {
        text += "\\n";
      } else {
        text += c;
      }
    }
    text += '"';
  }
  return text;
}

std::string ProcessMetricsText() {
  std::ifstream file("/proc/self/statm");
  int64_t reserved = 0, resident = 0;
  file >> reserved >> resident;
  return fmt::format(
      "# HELP process_resident_memory_bytes resident memory of the process\n# TYPE process_resident_memory_bytes "
      "gauge\n"
      "process_resident_memory_bytes {}\n",
      resident * sysconf(_SC_PAGESIZE));
}

void MetricSet::DeclareCounter(const std::string& name, const std::string& help) {
  families_[name] = {"counter", help, {}, {}};
}
void MetricSet::DeclareGauge(const std::string& name, const std::string& help) {
  families_[name] = {"gauge", help, {}, {}};
}
void MetricSet::DeclareHistogram(const std::string& name, const std::string& help, std::vector<double> bounds) {
  families_[name] = {"histogram", help, std::move(bounds), {}};
}

MetricSet::Family& MetricSet::Find(const std::string& name) {
  const auto found = families_.find(name);
  PINTLE_CHECK(found != families_.end(), "undeclared metric " + name);
  return found->second;
}

void MetricSet::Add(const std::string& name, const MetricLabels& labels, double value) {
  const std::lock_guard lock(mutex_);
  Find(name).series[MetricLabelText(labels)].value += value;
}

void MetricSet::Set(const std::string& name, const MetricLabels& labels, double value) {
  const std::lock_guard lock(mutex_);
  Find(name).series[MetricLabelText(labels)].value = value;
}

void MetricSet::Observe(const std::string& name, const MetricLabels& labels, double value) {
  const std::lock_guard lock(mutex_);
  Family& family = Find(name);
  Series& series = family.series[MetricLabelText(labels)];
  series.bucket_counts.resize(family.bounds.size() + 1);
  const auto bound = std::lower_bound(family.bounds.begin(), family.bounds.end(), value);
  ++series.bucket_counts[static_cast<size_t>(bound - family.bounds.begin())];
  series.value += value;
}

void MetricSet::Clear(const std::string& name) {
  const std::lock_guard lock(mutex_);
  Find(name).series.clear();
}

std::string MetricSet::Text() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (const auto& [name, family] : families_) {
    text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, family.type);
    for (const auto& [labels, series] : family.series) {
      if (family.type != "histogram") {
        text += fmt::format("{}{} {}\n", name, Braced(labels), series.value);
        continue;
      }
      const std::string comma = labels.empty() ? "" : ",";
      uint64_t count = 0;
      for (size_t i = 0; i < series.bucket_counts.size(); ++i) {
        count += series.bucket_counts[i];
        const std::string bound = i < family.bounds.size() ? fmt::format("{}", family.bounds[i]) : "+Inf";
        text += fmt::format("{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, comma, bound, count);
      }
      text +=
          fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, Braced(labels), series.value, name, Braced(labels), count);
    }
  }
  return text;
}

std::vector<double> LatencyBounds() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120};
}

}  // namespace pintle
