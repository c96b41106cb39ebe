// `m31r report`: one page about a run, from its files.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>

#include "base/json.h"
#include "cli/verbs.h"
#include "evaluate/report.h"

namespace pintle {
namespace {

struct Options {
  std::string run, out;
};

}  // namespace

void RegisterM31rReport(Command& m31r) {
  Command& verb = m31r.Add("report", "one HTML and Markdown page about a run: curves, scores, gates, manifests");
  auto options = std::make_shared<Options>();
  verb.Option("run", options->run, "a work folder, a run folder, or an evaluation folder").Required();
  verb.Option("--out", options->out, "where report.html and report.md go (default: the folder itself)");
  verb.Run([options](const Global& global) -> Status {
    PINTLE_ASSIGN(const Report report, MakeReport(options->run));
    const std::filesystem::path out = options->out.empty() ? options->run : options->out;
    if (global.dry_run) {
      fmt::print("would write {} and {}\n", (out / "report.html").string(), (out / "report.md").string());
      return {};
    }
    PINTLE_RETURN_IF_ERROR(WriteReport(report, out));
    if (global.json) {
      const boost::json::object root{{"html", (out / "report.html").string()},
                                     {"markdown", (out / "report.md").string()}};
      fmt::print("{}\n", DumpJson(root));
    } else {
      fmt::print("{}\n{}\n", (out / "report.html").string(), (out / "report.md").string());
    }
    return {};
  });
}

}  // namespace pintle
