// One page about a run: what was trained on what, how it went, how good it is, which gates it meets. Made only by
// reading the files of a work folder (run/, eval/, the stages' manifests); whatever is missing is named as missing. The
// HTML page holds everything in itself and asks nothing of a network; the Markdown page says the same without pictures.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace pintle {

/// The page in its two forms.
struct Report {
  std::string html, markdown;
};

/// `folder` is a work folder (with run/ or eval/ in it), a run folder (with run.jsonl) or an evaluation folder (with
/// metrics.json). An error if it holds neither a run nor an evaluation.
Result<Report> MakeReport(const std::filesystem::path& folder);

/// Writes report.html and report.md into `out`, each whole or not at all.
Status WriteReport(const Report& report, const std::filesystem::path& out);

}  // namespace pintle
