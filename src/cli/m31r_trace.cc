// `pintle m31r trace`: from a token or a document back to its file and licence.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "cli/verbs.h"
#include "corpus/trace.h"

namespace pintle {
namespace {

struct Options {
  std::string work, shard, split = "train";
  int64_t token = -1, document = -1;
};

Result<TraceResult> Trace(const Options& options) {
  const bool by_token = !options.shard.empty() && options.token >= 0;
  if (by_token == (options.document >= 0)) {
    return UsageError("either --shard and --token, or --document, is needed", "",
                      "pintle m31r trace --work DIR --shard train-00000.bin --token 12345");
  }
  if (!by_token) return TraceDocument(options.work, options.split, options.document);
  // Its path serves as well as its name.
  std::error_code code;
  const std::filesystem::path shard = options.shard, work = options.work;
  const bool path = shard.has_parent_path() && std::filesystem::equivalent(shard.parent_path(), work / "shards", code);
  return TraceToken(work, path ? shard.filename().string() : options.shard, options.token);
}

}  // namespace

void RegisterM31rTrace(Command& m31r) {
  Command& verb = m31r.Add("trace", "which file, crate and licence a token of the training data comes from");
  auto options = std::make_shared<Options>();
  verb.Option("--work", options->work, "the work folder").Required();
  verb.Option("--shard", options->shard, "a file of WORK/shards");
  verb.Option("--token", options->token, "a token of the shard, counted from 0");
  verb.Option("--document", options->document, "a document of the split, counted from 0");
  verb.Option("--split", options->split, "train, val or test: of --document");
  verb.Run([options](const Global& global) -> Status {
    PINTLE_ASSIGN(const TraceResult r, Trace(*options));
    const LedgerRow& row = r.row;
    if (global.json) {
      fmt::print("{}\n", DumpJson(boost::json::object{{"split", r.split},
                                                      {"document", r.document},
                                                      {"token_in_document", r.token_in_document},
                                                      {"source", row.source},
                                                      {"path", row.path},
                                                      {"crate", row.crate},
                                                      {"version", row.version},
                                                      {"licence", row.licence},
                                                      {"licence_found", row.licence_found},
                                                      {"licence_from", row.licence_from},
                                                      {"raw_sha256", row.sha256},
                                                      {"text_sha256", r.text_sha256},
                                                      {"source_id", r.source_id},
                                                      {"origin", r.origin}}));
      return {};
    }
    fmt::print("document   {} of {}{}\n", r.document, r.split,
               r.token_in_document >= 0 ? fmt::format(", its token {}", r.token_in_document) : "");
    fmt::print("file       {}/{}\n", row.source, row.path);
    fmt::print("crate      {} {}\n", row.crate, row.version);
    fmt::print("licence    {} of {} ({})\n", row.licence, row.licence_found, row.licence_from);
    fmt::print("raw        SHA-256 {}\n", row.sha256);
    fmt::print("text       SHA-256 {}\n", r.text_sha256);
    fmt::print("source     {}\n", r.origin.empty() ? "manifest " + r.source_id : r.origin);
    return {};
  });
}

}  // namespace pintle
