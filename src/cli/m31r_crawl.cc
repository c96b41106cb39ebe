// `pintle m31r crawl`: sources in, raw store out.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>

#include "base/json.h"
#include "base/time.h"
#include "cli/verbs.h"
#include "corpus/crawl.h"

namespace pintle {

void RegisterM31rCrawl(Command& m31r) {
  struct Options {
    std::string source, work;
  };
  auto options = std::make_shared<Options>();
  Command& verb = m31r.Add("crawl", "take sources in: archives, folders, git commits, crates, Debian packages");
  verb.Option("--source", options->source, "an archive, a folder, or a .toml manifest of sources").Required();
  verb.Option("--work", options->work, "the work folder").Required();
  verb.Run([options](const Global& global) -> Status {
    PINTLE_ASSIGN(const CrawlManifest manifest, OpenCrawlSource(options->source));
    PINTLE_ASSIGN(const auto sources, Crawl(manifest, {options->work, global.dry_run}));
    boost::json::array list;
    for (const auto& source : sources) {
      if (global.json) {
        list.push_back(boost::json::object{{"name", source.name},
                                           {"kind", source.kind},
                                           {"state", source.state},
                                           {"id", source.id},
                                           {"files", source.files},
                                           {"bytes", source.bytes}});
      } else {
        fmt::print("{:<24} {:<10} {:>7} files {:>10}  {}\n", source.name, source.kind, source.files,
                   HumanBytes(static_cast<double>(source.bytes)), source.state);
      }
    }
    if (global.json) fmt::print("{}\n", DumpJson(boost::json::object{{"sources", list}}));
    return {};
  });
}

}  // namespace pintle
