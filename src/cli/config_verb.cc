// `pintle config`: every setting with its value, and where the value came from.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <sstream>

#include "base/json.h"
#include "cli/settings.h"
#include "cli/verbs.h"
#include "corpus/dataset.h"
#include "corpus/filter.h"
#include "corpus/shard_stage.h"
#include "corpus/tokenizer_stage.h"
#include "evaluate/evaluate.h"
#include "train/train_config.h"
#include "train/trm_config.h"

namespace pintle {

void RegisterConfig(Command& pintle) {
  Command& verb = pintle.Add("config", "print every setting, its value and where it came from");
  verb.Run([](const Global& global) -> Status {
    FilterConfig filter;
    DatasetConfig dataset;
    TokenizerConfig tokenizer;
    ShardConfig shard;
    TrainConfig train;
    EvaluateConfig evaluate;
    TrmRunConfig trm;
    const ConfigFields fields = [&](ConfigVisitor& v) {
      filter.Visit(v);
      dataset.Visit(v);
      tokenizer.Visit(v);
      shard.Visit(v);
      train.Visit(v);
      evaluate.Visit(v);
      trm.Visit(v);
    };
    std::map<std::string, std::string> origins;
    PINTLE_RETURN_IF_ERROR(LoadSettings(global, fields, &origins));
    // The dump is TOML that can be loaded again; the origin stands behind each value as a comment.
    std::istringstream lines(DumpConfig(fields));
    std::string line, section;
    boost::json::object root;
    while (std::getline(lines, line)) {
      const size_t equals = line.starts_with("#") ? std::string::npos : line.find(" = ");
      if (line.starts_with("[")) section = line.substr(1, line.size() - 2) + ".";
      if (equals == std::string::npos) {
        if (!global.json) fmt::print("{}\n", line);
        continue;
      }
      const std::string key = section + line.substr(0, equals);
      if (global.json) {
        root[key] = {{"value", line.substr(equals + 3)}, {"origin", origins[key]}};
      } else {
        fmt::print("{}  # {}\n", line, origins[key]);
      }
    }
    if (global.json) fmt::print("{}\n", DumpJson(root));
    return {};
  });
}

}  // namespace pintle
