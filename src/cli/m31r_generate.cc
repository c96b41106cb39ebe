// `pintle m31r generate`: complete a prompt, or fill in the middle, streaming to stdout.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>
#include <iostream>
#include <iterator>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/verbs.h"
#include "generate/generate.h"

namespace pintle {
namespace {

struct Options {
  std::string model, prompt, prefix, suffix, file;
  int64_t line = 0, column = 1;
  bool fit = false;
  SampleOptions sample;
};

struct Request {
  bool infill = false;
  std::string prefix, suffix;  ///< of a plain prompt: all in prefix
};

// Splits a text before `column` (counted in bytes from 1) of `line` (from 1).
Result<Request> SplitAt(const std::string& text, const Options& options) {
  size_t begin = 0;
  for (int64_t line = 1; line < options.line; ++line) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) {
      return UsageError(fmt::format("the file has {} lines, not {}", line, options.line), "--line");
    }
    begin = end + 1;
  }
  const size_t end = std::min(text.find('\n', begin), text.size());
  if (options.column < 1 || static_cast<size_t>(options.column - 1) > end - begin) {
    return UsageError(fmt::format("line {} has columns 1 to {}", options.line, end - begin + 1), "--column");
  }
  const size_t cursor = begin + static_cast<size_t>(options.column) - 1;
  return Request{true, text.substr(0, cursor), text.substr(cursor)};
}

// Exactly one of: --prompt, --prefix with --suffix, --file with --line, or standard input.
Result<Request> ReadRequest(const Options& options) {
  const int ways = (options.prompt.empty() ? 0 : 1) + (options.prefix.empty() && options.suffix.empty() ? 0 : 1) +
                   (options.file.empty() ? 0 : 1);
  if (ways > 1) return UsageError("give one of --prompt, --prefix/--suffix and --file");
  if (!options.prompt.empty()) return Request{false, options.prompt, ""};
  if (!options.file.empty()) {
    if (options.line < 1) return UsageError("--file wants --line (and --column)", "--line");
    PINTLE_ASSIGN(const std::string text, ReadFile(options.file, 64 << 20));
    return SplitAt(text, options);
  }
  if (ways == 1) return Request{true, options.prefix, options.suffix};
  return Request{false, std::string(std::istreambuf_iterator<char>(std::cin), {}), ""};
}

void PrintJson(const TextModel& model, const Options& options, const Completion& answer) {
  const double decode = answer.total_seconds - answer.prompt_seconds;
  boost::json::array ids(answer.ids.begin(), answer.ids.end());
  fmt::print("{}\n",
             DumpJson(boost::json::object{
                 {"model", model.Info().name},
                 {"text", answer.text},
                 {"ids", std::move(ids)},
                 {"finish_reason", answer.finish_reason},
                 {"seed", options.sample.seed},
                 {"mean_logprob", answer.mean_logprob},
                 {"prompt_tokens", answer.prompt_tokens},
                 {"cut_tokens", answer.cut_tokens},
                 {"completion_tokens", static_cast<int64_t>(answer.ids.size())},
                 {"prompt_seconds", answer.prompt_seconds},
                 {"decode_seconds", decode},
                 {"ms_per_token", answer.ids.empty() ? 0 : 1000 * decode / static_cast<double>(answer.ids.size())}}));
}

Status Generate(Options options, const Global& global) {
  options.sample.seed = global.seed;
  options.sample.fit_prompt = options.fit;
  PINTLE_ASSIGN(const Request request, ReadRequest(options));
  PINTLE_ASSIGN(const std::unique_ptr<TextModel> model, TextModel::Load(options.model, global.threads));
  const TextModel::OnText stream = [&](std::string_view text) {
    if (!global.json) {
      fmt::print("{}", text);
      std::fflush(stdout);
    }
    return !Interrupted();
  };
  const auto answer = request.infill ? model->Infill(request.prefix, request.suffix, options.sample, stream)
                                     : model->Complete(request.prefix, options.sample, stream);
  PINTLE_RETURN_IF_ERROR(answer);
  if (answer->cut_tokens > 0) {
    LogWarning("generate", fmt::format("the prompt was cut by {} tokens to fit the context", answer->cut_tokens));
  }
  if (global.json) {
    PrintJson(*model, options, *answer);
  } else {
    fmt::print("\n");
  }
  return {};
}

}  // namespace

void RegisterM31rGenerate(Command& m31r) {
  auto options = std::make_shared<Options>();
  Command& verb = m31r.Add("generate", "complete Rust code, or fill in the middle of it");
  verb.Option("--model", options->model, "a model folder").Required();
  verb.Option("--prompt", options->prompt, "text to go on from (default: standard input)");
  verb.Option("--prefix", options->prefix, "fill in the middle: what stands before");
  verb.Option("--suffix", options->suffix, "fill in the middle: what stands after");
  verb.Option("--file", options->file, "fill in the middle of a file, at --line and --column");
  verb.Option("--line", options->line, "line of the cursor, from 1");
  verb.Option("--column", options->column, "column of the cursor in bytes, from 1");
  verb.Option("--max-tokens", options->sample.max_tokens, "longest answer");
  verb.Option("--temperature", options->sample.temperature, "0 = always the likeliest token");
  verb.Option("--top-k", options->sample.top_k, "only the k likeliest tokens; 0 = all");
  verb.Option("--top-p", options->sample.top_p, "only the likeliest tokens that make up this share");
  verb.Option("--stop", options->sample.stop, "end before this text; may be given several times");
  verb.Flag("--fit", options->fit, "cut a prompt that is too long instead of refusing it");
  verb.Run([options](const Global& global) { return Generate(*options, global); });
}

}  // namespace pintle
