#include "corpus/filter.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/interrupt.h"
#include "base/log.h"
#include "corpus/filter_run.h"
#include "formats/manifest.h"

namespace pintle {
namespace {

constexpr size_t kBatch = 2048;  // contents between two progress lines

}  // namespace

Status JudgeContents(FilterRun& run) {
  double total = 0, done = 0;
  for (const auto& content : run.contents) {
    total += static_cast<double>(run.sources[content.source].store.files()[content.file].size);
  }
  Progress progress("judging files", "MB", total / 1e6);
  std::vector<ContentScratch> scratch(static_cast<size_t>(run.pool.threads()));
  std::vector<Signature> signatures(kBatch);
  std::vector<Status> failures(static_cast<size_t>(run.pool.threads()));
  for (size_t begin = 0; begin < run.contents.size(); begin += kBatch) {
    if (Interrupted()) return RuntimeError("interrupted");
    const size_t size = std::min(kBatch, run.contents.size() - begin);
    run.pool.ParallelForWithThread(static_cast<int64_t>(size), [&](int64_t i, int thread) {
      FilterContent& content = run.contents[begin + static_cast<size_t>(i)];
      const RawStoreReader& store = run.sources[content.source].store;
      const RawFile& file = store.files()[content.file];
      if (file.size > static_cast<uint64_t>(run.config.max_bytes)) {
        // Without reading it: such a file may be larger than memory.
        content.report.rule = Rule::kTooLarge;
        content.report.value = static_cast<int64_t>(file.size);
        return;
      }
      const auto bytes = store.Read(file);
      if (!bytes.ok()) {
        failures[static_cast<size_t>(thread)] = bytes.error();
        return;
      }
      content.report = JudgeContent(*bytes, run.config, run.benchmarks, scratch[static_cast<size_t>(thread)],
                                    signatures[static_cast<size_t>(i)]);
    });
    for (const Status& failure : failures) PINTLE_RETURN_IF_ERROR(failure);
    for (size_t i = 0; i < size; ++i) {
      FilterContent& content = run.contents[begin + i];
      done += static_cast<double>(run.sources[content.source].store.files()[content.file].size);
      if (content.report.rule != Rule::kKept) continue;
      content.signature = static_cast<uint32_t>(run.signatures.size());
      run.signatures.push_back(signatures[i]);
    }
    progress.Update(done / 1e6);
  }
  return {};
}

Result<StageSummary> RunFilter(const FilterOptions& options) {
  FilterConfig config = options.config;
  FilterRun run(config, options.threads);
  run.benchmarks = BenchmarkIndex(static_cast<int>(config.benchmark_words));
  if (!options.benchmarks.empty()) {
    PINTLE_ASSIGN(run.benchmarks, BenchmarkIndex::Load(options.benchmarks, static_cast<int>(config.benchmark_words)));
  }
  PINTLE_RETURN_IF_ERROR(OpenSources(options.work, run));

  Manifest manifest;
  manifest.stage = "filter";
  manifest.config_hash = config.Hash();
  for (const auto& source : run.sources) manifest.inputs["raw/" + source.name] = source.manifest_id;
  if (!run.benchmarks.id().empty()) manifest.inputs["benchmarks"] = run.benchmarks.id();
  const std::filesystem::path target = options.work / "filtered";
  StageSummary summary;
  if (UpToDate(target, manifest.stage, manifest.config_hash, manifest.inputs)) {
    PINTLE_ASSIGN(const Manifest present, ReadManifest(target));
    summary = {present.Id(), true, present.counts};
    return summary;
  }

  PINTLE_RETURN_IF_ERROR(GatherPaths(run));
  PINTLE_RETURN_IF_ERROR(JudgeContents(run));
  DecideFates(run);
  PINTLE_ASSIGN(StageOutput output, StageOutput::Create(target));
  PINTLE_RETURN_IF_ERROR(WriteFiltered(run, output.folder(), manifest.counts));
  summary.counts = manifest.counts;
  PINTLE_ASSIGN(summary.id, output.Commit(std::move(manifest)));
  return summary;
}

}  // namespace pintle
