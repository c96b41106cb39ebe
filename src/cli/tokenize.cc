// `pintle tokenize`: the ids of a text in a GGUF model's vocabulary: no BOS, no control tokens.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <iostream>
#include <iterator>

#include "base/json.h"
#include "cli/gguf_verbs.h"
#include "cli/model_argument.h"
#include "cli/verbs.h"

namespace pintle {

void RegisterTokenize(Command& pintle) {
  struct Options {
    std::string model, text = "-";
  };
  auto options = std::make_shared<Options>();
  Command& verb = pintle.Add("tokenize", "the token ids of a text (GGUF)");
  verb.Option("model", options->model, "a .gguf file, a folder of the hub or an id of `pintle models`").Required();
  verb.Option("--text", options->text, "the text; - reads standard input");
  verb.Run([options](const Global& global) -> Status {
    PINTLE_ASSIGN(const std::string path, ModelPath(options->model));
    PINTLE_ASSIGN(const GgufFile file, GgufFile::Open(path));
    PINTLE_ASSIGN(const std::unique_ptr<const Vocabulary> vocabulary, Vocabulary::FromGguf(file.header(), path));
    const std::string text =
        options->text == "-" ? std::string(std::istreambuf_iterator<char>(std::cin), {}) : options->text;
    std::vector<int32_t> ids;
    vocabulary->Encode(text, ids);
    if (global.json) {
      fmt::print("{}\n", DumpJson(boost::json::object{{"ids", boost::json::array(ids.begin(), ids.end())}}));
      return {};
    }
    for (const int32_t id : ids) fmt::print("{} {}\n", id, JsonQuote(vocabulary->Bytes(id)));
    return {};
  });
}

}  // namespace pintle
