// Last step of the filter: the kept texts and the ledger of all paths.
#include <fmt/format.h>

#include <algorithm>

#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "corpus/clean_text.h"
#include "corpus/filter_run.h"
#include "corpus/ledger.h"
#include "formats/jsonl_zst.h"

namespace pintle {
namespace {

constexpr size_t kBatchFiles = 1024;
constexpr uint64_t kBatchBytes = 32 << 20;  // two batches are in memory

std::string DocumentLine(const FilterRun& run, const FilterPath& path, std::string_view text) {
  const FilterCrate& crate = run.crates[path.crate];
  std::string line;
  line.reserve(text.size() + text.size() / 8 + 512);
  line += "{\"source\":" + JsonQuote(run.sources[path.source].name) + ",\"crate\":" + JsonQuote(crate.name) +
          ",\"version\":" + JsonQuote(crate.version) + ",\"path\":" + JsonQuote(run.File(path).path) +
          ",\"sha256\":\"" + ToHex(run.contents[path.content].report.clean_sha256) +
          "\",\"licence\":" + JsonQuote(run.findings[path.finding].decision.text) +
          ",\"size\":" + std::to_string(text.size()) + ",\"text\":" + JsonQuote(text) + "}";
  return line;
}

Status WriteDocuments(FilterRun& run, const std::filesystem::path& folder) {
  PINTLE_ASSIGN(JsonlZstWriter writer, JsonlZstWriter::Create(folder / "documents.jsonl.zst"));
  std::vector<uint32_t> kept;
  double total = 0, done = 0;
  for (uint32_t p = 0; p < run.paths.size(); ++p) {
    if (run.paths[p].rule != Rule::kKept) continue;
    kept.push_back(p);
    total += run.contents[run.paths[p].content].report.clean_size;
  }
  Progress progress("writing documents", "MB", total / 1e6);
  std::vector<ContentScratch> scratch(static_cast<size_t>(run.pool.threads()));
  std::vector<Status> failures(static_cast<size_t>(run.pool.threads()));
  std::vector<std::string> lines, previous;
  Status written;
  for (size_t begin = 0; begin < kept.size() || !previous.empty();) {
    if (Interrupted()) return RuntimeError("interrupted");
    size_t end = begin;
    for (uint64_t bytes = 0; end < kept.size() && end - begin < kBatchFiles && bytes < kBatchBytes; ++end) {
      bytes += run.contents[run.paths[kept[end]].content].report.clean_size;
    }
    lines.assign(end - begin, {});
    // Item 0 compresses the batch before, in order, while the others prepare this one.
    run.pool.ParallelForWithThread(static_cast<int64_t>(lines.size()) + 1, [&](int64_t item, int thread) {
      if (item == 0) {
        for (size_t i = 0; i < previous.size() && written.ok(); ++i) written = writer.Write(previous[i]);
        return;
      }
      const FilterPath& path = run.paths[kept[begin + static_cast<size_t>(item) - 1]];
      const auto bytes = run.sources[path.source].store.Read(run.File(path));
      if (!bytes.ok()) {
        failures[static_cast<size_t>(thread)] = bytes.error();
        return;
      }
      const CleanText clean = CleanRust(*bytes, run.config.redact_mails, scratch[static_cast<size_t>(thread)].tokens,
                                        CommentsNamed(run.config.comments));
      lines[static_cast<size_t>(item) - 1] = DocumentLine(run, path, clean.text);
    });
    PINTLE_RETURN_IF_ERROR(written);
    for (const Status& failure : failures) PINTLE_RETURN_IF_ERROR(failure);
    for (size_t i = begin; i < end; ++i) done += run.contents[run.paths[kept[i]].content].report.clean_size;
    progress.Update(done / 1e6);
    previous.swap(lines);
    begin = end;
  }
  return writer.Finish();
}

Status WriteLedger(const FilterRun& run, const std::filesystem::path& folder) {
  PINTLE_ASSIGN(LedgerWriter ledger, LedgerWriter::Create(folder / "ledger.sqlite"));
  int64_t document = 0;
  for (const FilterPath& path : run.paths) {
    const RawFile& file = run.File(path);
    const FilterFinding& finding = run.findings[path.finding];
    LedgerRow row;
    row.source = run.sources[path.source].name;
    row.path = file.path;
    row.sha256 = ToHex(file.sha256);
    row.size = file.size;
    row.rule = path.rule;
    row.value = path.value;
    row.detail = path.detail;
    row.licence_found = finding.found.expression;
    row.licence_from = finding.found.from;
    if (finding.decision.verdict == LicenceVerdict::kPermissive) row.licence = finding.decision.text;
    row.crate = run.crates[path.crate].name;
    row.version = run.crates[path.crate].version;
    if (path.keeper != kNoIndex) row.keeper = int64_t{path.keeper} + 1;
    if (path.rule == Rule::kKept) {
      row.document = document++;
      row.mails = run.contents[path.content].report.mails;
    }
    PINTLE_RETURN_IF_ERROR(ledger.Add(row));
  }
  return ledger.Finish();
}

}  // namespace

Status WriteFiltered(FilterRun& run, const std::filesystem::path& folder, std::map<std::string, int64_t>& counts) {
  for (const char* name : {"files", "bytes", "kept_files", "kept_bytes", "kept_lines", "mails_redacted"})
    counts[name] = 0;
  for (const FilterPath& path : run.paths) {
    const auto size = static_cast<int64_t>(run.File(path).size);
    counts["files"] += 1;
    counts["bytes"] += size;
    if (path.rule == Rule::kKept) {
      const ContentReport& report = run.contents[path.content].report;
      counts["kept_files"] += 1;
      counts["kept_bytes"] += report.clean_size;
      counts["kept_lines"] += report.lines;
      counts["mails_redacted"] += report.mails;
    } else {
      counts[fmt::format("rejected/{}/files", RuleId(path.rule))] += 1;
      counts[fmt::format("rejected/{}/bytes", RuleId(path.rule))] += size;
    }
  }
  PINTLE_RETURN_IF_ERROR(WriteDocuments(run, folder));
  return WriteLedger(run, folder);
}

}  // namespace pintle
