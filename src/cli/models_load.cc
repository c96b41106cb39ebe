// `pintle models load` and `unload`: a running stack takes a model into memory, or out of it.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdlib>

#include "base/json.h"
#include "base/time.h"
#include "cli/verbs.h"
#include "serve/http/http_client.h"

namespace pintle {
namespace {

struct Options {
  std::string model, url = "http://127.0.0.1:8080";
  bool pin = false;
};

Status Ask(const char* path, const Options& options, const Global& global) {
  boost::json::object body = {{"model", options.model}};
  if (options.pin) body["pinned"] = true;
  if (global.dry_run) return {};
  const char* key = std::getenv("PINTLE_API_KEY");
  PINTLE_ASSIGN(const std::string answer, PostJson({options.url, path, DumpJson(body), key == nullptr ? "" : key}));
  if (global.json) {
    fmt::print("{}", answer);
    return {};
  }
  PINTLE_ASSIGN(const boost::json::value model, ParseJson(answer, options.url));
  PINTLE_ASSIGN(const std::string state, JsonString(model, "state", options.url));
  PINTLE_ASSIGN(const int64_t bytes, JsonInt(model, "memory_bytes", options.url));
  fmt::print("{} is {}: {} of memory\n", options.model, state, HumanBytes(static_cast<double>(bytes)));
  return {};
}

}  // namespace

void RegisterModelsLoad(Command& models) {
  for (const bool load : {true, false}) {
    auto options = std::make_shared<Options>();
    Command& verb = models.Add(load ? "load" : "unload", load ? "a running stack takes a model into memory"
                                                              : "a running stack gives a model's memory back");
    verb.Option("model", options->model, "its name, as /v1/models lists it").Required();
    verb.Option("--url", options->url, "where the stack listens");
    if (load) verb.Flag("--pin", options->pin, "keep it when room is wanted for others");
    const char* path = load ? "/v1/models/load" : "/v1/models/unload";
    verb.Run([options, path](const Global& global) { return Ask(path, *options, global); });
  }
}

}  // namespace pintle
