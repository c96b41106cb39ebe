// Stage 1, `m31r crawl`: takes sources in (archive, directory, git commit, crates.io, Debian package), checks every
// hash, and writes the raw store (raw_store.h). Nothing taken in is ever run. The second run changes nothing.
//
//   WORK/archives/<sha256>     what was downloaded, immutable
//   WORK/raw/<source>/         raw_store.h
//   WORK/raw/sources.json      the lock: {"sources":[{"name","rank","id","kind","files","bytes"}]}
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "corpus/crawl_manifest.h"

namespace pintle {

/// Where to work, and whether to only say what would be done.
struct CrawlOptions {
  std::filesystem::path work;
  bool dry_run = false;
};

/// What became of one source.
struct CrawledSource {
  std::string name, kind, id;    ///< id of its manifest
  std::string state;             ///< "new", "unchanged", "duplicate of NAME" or "left out: reason"
  int64_t files = 0, bytes = 0;  ///< paths kept and bytes of distinct contents
};

/// Runs the stage. Stops at the first source that fails, unless it is optional; finished sources stay.
Result<std::vector<CrawledSource>> Crawl(const CrawlManifest& manifest, const CrawlOptions& options);

/// True for the files that later stages look at: *.rs, Cargo.toml, licence, readme and copyright files, REUSE records.
bool WantedRawPath(std::string_view path);

}  // namespace pintle
