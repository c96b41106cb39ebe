// `pintle m31r shard`: dataset and tokenizer in, token shards out.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "cli/settings.h"
#include "cli/verbs.h"
#include "corpus/shard_stage.h"

namespace pintle {

void RegisterM31rShard(Command& m31r) {
  auto work = std::make_shared<std::string>();
  Command& verb = m31r.Add("shard", "write the dataset as token shards, a crate's files in the order of their use");
  verb.Option("--work", *work, "the work folder").Required();
  verb.Run([work](const Global& global) -> Status {
    ShardConfig config;
    const auto fields = [&](ConfigVisitor& v) { config.Visit(v); };
    PINTLE_RETURN_IF_ERROR(LoadSettings(global, fields));
    if (global.dry_run) {
      fmt::print("{}", DumpConfig(fields));
      return {};
    }
    ThreadPool pool(global.threads);
    PINTLE_ASSIGN(const ShardSummary summary, ShardStage(*work, config, pool));
    boost::json::object splits;
    for (const auto& [name, split] : summary.splits) {
      splits[name] = {{"documents", split.documents}, {"tokens", split.tokens},     {"bytes", split.bytes},
                      {"crates", split.crates},       {"segments", split.segments}, {"shards", split.shards}};
    }
    if (global.json) {
      fmt::print("{}\n", DumpJson(boost::json::object{{"id", summary.id},
                                                      {"tokenizer", summary.tokenizer_hash},
                                                      {"up_to_date", summary.up_to_date},
                                                      {"splits", splits}}));
      return {};
    }
    for (const auto& [name, split] : summary.splits) {
      fmt::print("{:<6} {:>9} documents of {} crates in {} segments, {} tokens, {:.2f} bytes a token, {} shards\n",
                 name, split.documents, split.crates, split.segments, split.tokens,
                 static_cast<double>(split.bytes) / static_cast<double>(split.tokens == 0 ? 1 : split.tokens),
                 split.shards);
    }
    fmt::print("shards {:.12}{}\n", summary.id, summary.up_to_date ? " are up to date" : "");
    return {};
  });
}

}  // namespace pintle
