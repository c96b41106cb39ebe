#include "evaluate/suite.h"

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "evaluate/estimator.h"

namespace pintle {
namespace json = boost::json;
namespace {

// The samples of one task.
struct Problem {
  const SampleRecord* begin = nullptr;
  int64_t samples = 0, passed = 0;
  bool any_compiles = false, chosen_passes = false;
};

std::vector<Problem> GroupByTask(const std::vector<SampleRecord>& records) {
  std::vector<Problem> problems;
  for (size_t i = 0; i < records.size();) {
    Problem problem;
    problem.begin = &records[i];
    const SampleRecord* chosen = nullptr;
    for (; i < records.size() && records[i].task == problem.begin->task; ++i) {
      const SampleRecord& record = records[i];
      ++problem.samples;
      problem.passed += record.verdict.Passes() ? 1 : 0;
      problem.any_compiles = problem.any_compiles || record.Compiles();
      const auto rank = [](const SampleRecord& r) { return std::pair(r.Compiles(), r.sample.mean_logprob); };
      if (chosen == nullptr || rank(record) > rank(*chosen)) chosen = &record;
    }
    problem.chosen_passes = chosen->verdict.Passes();
    problems.push_back(problem);
  }
  return problems;
}

double Rate(int64_t count, int64_t total) {
  return total == 0 ? 0 : static_cast<double>(count) / static_cast<double>(total);
}

json::array IntervalJson(double proportion, int64_t trials) {
  const Interval interval = WilsonInterval(proportion, trials);
  return {interval.low, interval.high};
}

// Mean over problems with enough samples; negative if there is none.
double MeanPassAt(const std::vector<Problem>& problems, int64_t k) {
  double sum = 0;
  int64_t counted = 0;
  for (const Problem& problem : problems) {
    if (problem.samples < k) continue;
    sum += PassAtK(problem.samples, problem.passed, k);
    ++counted;
  }
  return counted == 0 ? -1 : sum / static_cast<double>(counted);
}

json::object Categories(const std::vector<Problem>& problems) {
  struct Sums {
    int64_t problems = 0, samples = 0, compiled = 0;
    double pass = 0;
  };
  std::map<std::string, Sums> by_name;
  for (const Problem& problem : problems) {
    Sums& sums = by_name[problem.begin->task->category];
    ++sums.problems;
    sums.samples += problem.samples;
    sums.pass += PassAtK(problem.samples, problem.passed, 1);
    for (int64_t i = 0; i < problem.samples; ++i) sums.compiled += problem.begin[i].Compiles() ? 1 : 0;
  }
  json::object categories;
  for (const auto& [name, sums] : by_name) {
    categories[name] = {{"problems", sums.problems},
                        {"compile_rate", Rate(sums.compiled, sums.samples)},
                        {"pass_at_1", sums.pass / static_cast<double>(sums.problems)}};
  }
  return categories;
}

}  // namespace

Triviality ScoredTriviality(const Task& task, const std::string& completion) {
  if (!task.canonical.empty() && ClassifyCompletion(task, task.canonical) != Triviality::kNone)
    return Triviality::kNone;
  return ClassifyCompletion(task, completion);
}

json::object ScoreRecords(const std::vector<SampleRecord>& records, const std::vector<int64_t>& ks, bool judged) {
  const std::vector<Problem> problems = GroupByTask(records);
  const auto samples = static_cast<int64_t>(records.size());
  int64_t compiled = 0, checked = 0, built = 0, trivial = 0, timed_out = 0, any = 0, chosen = 0;
  std::map<std::string, int64_t> codes, kinds;
  for (const SampleRecord& record : records) {
    compiled += record.Compiles() ? 1 : 0;
    checked += record.verdict.TypeChecks() ? 1 : 0;
    built += record.verdict.Builds() ? 1 : 0;
    timed_out += record.verdict.timed_out ? 1 : 0;
    if (record.triviality != Triviality::kNone) {
      ++trivial;
      ++kinds[TrivialityName(record.triviality)];
    }
    if (judged && !record.verdict.Builds()) {
      ++codes[record.verdict.codes.empty() ? "none" : record.verdict.codes.front()];
    }
  }
  for (const Problem& problem : problems) {
    any += problem.any_compiles ? 1 : 0;
    chosen += problem.chosen_passes ? 1 : 0;
  }
  const auto count = static_cast<int64_t>(problems.size());
  json::object kinds_json;
  for (const auto& [name, number] : kinds) kinds_json[name] = number;
  json::object score{{"problems", count}, {"samples", samples}};
  if (!judged) {
    score["compile_rate"] = nullptr;
    score["trivial_rate"] = Rate(trivial, samples);
    score["pass_at"] = nullptr;
    score["trivial_kinds"] = kinds_json;
    return score;
  }
  score["compile_rate"] = Rate(compiled, samples);
  score["compile_interval"] = IntervalJson(Rate(compiled, samples), samples);
  score["type_check_rate"] = Rate(checked, samples);
  score["build_rate"] = Rate(built, samples);
  score["trivial_rate"] = Rate(trivial, samples);
  json::object pass_at, intervals;
  for (const int64_t k : ks) {
    const double mean = MeanPassAt(problems, k);
    if (mean < 0) continue;
    pass_at[std::to_string(k)] = mean;
    intervals[std::to_string(k)] = IntervalJson(mean, count);
  }
  score["pass_at"] = pass_at;
  score["pass_at_interval"] = intervals;
  score["timed_out"] = timed_out;
  score["system"] = {{"compile_rate", Rate(any, count)}, {"pass_at_1", Rate(chosen, count)}};
  json::object codes_json;
  for (const auto& [code, number] : codes) codes_json[code] = number;
  score["error_codes"] = codes_json;
  score["trivial_kinds"] = kinds_json;
  score["categories"] = Categories(problems);
  return score;
}

}  // namespace pintle
