// Any bytes as a crawl manifest: an error, or sources whose names are safe as folders, each once, with a steady hash.
#include <cstdlib>
#include <set>
#include <string>

#include "corpus/crawl_manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pintle;
  const auto manifest = ParseCrawlManifest({reinterpret_cast<const char*>(data), size}, "fuzz.toml");
  if (!manifest.ok()) return 0;
  std::set<std::string> names;
  for (const CrawlSource& source : manifest->sources) {
    if (source.name.empty() || source.name.front() == '.' || source.name.find('/') != std::string::npos) std::abort();
    if (!names.insert(source.name).second || source.Hash() != source.Hash()) std::abort();
  }
  return 0;
}
