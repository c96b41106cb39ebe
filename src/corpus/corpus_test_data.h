// Test help: puts a folder into WORK/raw as the crawl does. For tests only.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "corpus/raw_store.h"
#include "formats/manifest.h"

namespace pintle {

inline std::filesystem::path CorpusTestData() {
  return std::filesystem::path(PINTLE_SOURCE_DIR) / "src/corpus/testdata";
}
inline std::filesystem::path MiniTree() { return CorpusTestData() / "mini"; }

/// Writes WORK/raw/NAME with all files of the folder.
inline void PutSource(const std::filesystem::path& work, const std::string& name, const std::filesystem::path& folder,
                      const std::string& version) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  auto output = StageOutput::Create(work / "raw" / name);
  REQUIRE(output.ok());
  auto store = RawStoreWriter::Create(output->folder());
  REQUIRE(store.ok());
  for (const auto& file : files)
    REQUIRE(store->Add(file.lexically_relative(folder).generic_string(), *ReadFile(file)).ok());
  REQUIRE(store->Finish().ok());
  Manifest manifest;
  manifest.stage = "crawl";
  manifest.notes["version"] = version;
  REQUIRE(output->Commit(std::move(manifest)).ok());
}

}  // namespace pintle
