#include "evaluate/sampling.h"

#include <algorithm>

#include "base/hash.h"
#include "base/rng.h"
#include "evaluate/trivial.h"
#include "text/rust/lexer.h"
#include "text/rust/outline.h"

namespace pintle {
namespace {

// One request, with the end of the body as the stop. The text comes back without the brace that closes the body at
// `prompt[brace]`; `brace` npos = the model ends by itself.
class BodyRequest {
 public:
  BodyRequest(TextModel& model, const SampleOptions& options, SamplingTimes& times)
      : model_(model), options_(options), times_(times) {}

  Result<std::string> Run(const std::string& prompt, size_t brace, Sample& sample) {
    std::string seen = prompt;
    std::optional<uint32_t> close;
    const auto on_text = [&](std::string_view piece) {
      seen += piece;
      if (brace == std::string::npos || piece.find('}') == piece.npos) return true;
      close = rust::ClosingBrace(seen, static_cast<uint32_t>(brace));
      return !close.has_value();
    };
    PINTLE_ASSIGN(const Completion completion, model_.Complete(prompt, options_, on_text));
    const auto tokens = static_cast<int64_t>(completion.ids.size());
    sample.mean_logprob += completion.mean_logprob * static_cast<double>(tokens);
    sample.tokens += tokens;
    sample.prompt_cut = sample.prompt_cut || completion.cut_tokens > 0;
    times_.first_token_ms.push_back(completion.prompt_seconds * 1000);
    times_.decode_seconds += completion.total_seconds - completion.prompt_seconds;
    times_.decoded_tokens += tokens;
    const std::string whole = prompt + completion.text;
    if (brace != std::string::npos) close = rust::ClosingBrace(whole, static_cast<uint32_t>(brace));
    if (!close.has_value() || *close <= prompt.size()) return completion.text;
    return completion.text.substr(0, *close - 1 - prompt.size());
  }

 private:
  TextModel& model_;
  SampleOptions options_;
  SamplingTimes& times_;
};

// A stub's holes one after the other: what is written so far is the prompt, what follows the hole is kept.
Result<std::string> FillStub(BodyRequest& request, const Task& task, Sample& sample) {
  std::string head;
  for (size_t begin = 0; begin < task.instructions.size();) {
    const size_t end = std::min(task.instructions.find('\n', begin), task.instructions.size());
    head += "//! " + task.instructions.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  if (!head.empty()) head += '\n';
  std::string done;
  size_t from = 0;
  const std::vector<Hole> holes = FindHoles(task.prompt);
  for (const Hole& hole : holes) {
    done += task.prompt.substr(from, hole.begin - from);
    from = hole.end;
    const std::string prompt = head + done;
    PINTLE_ASSIGN(const std::string body, request.Run(prompt, OpenBrace(prompt), sample));
    done += body;
  }
  if (!holes.empty()) return done + task.prompt.substr(from);
  PINTLE_ASSIGN(const std::string rest, request.Run(head + task.prompt, std::string::npos, sample));
  return task.prompt + rest;
}

}  // namespace

uint64_t TaskSeed(uint64_t seed, std::string_view id) {
  const auto words = RandomBlock(seed, Purpose::kEval, Fnv1a(id), 0);
  return static_cast<uint64_t>(words[1]) << 32 | words[0];
}

std::vector<Hole> FindHoles(const std::string& stub) {
  std::vector<rust::Token> tokens;
  rust::LexRust(stub, tokens);
  std::vector<Hole> holes;
  for (size_t i = 0; i + 2 < tokens.size(); ++i) {
    const std::string_view name = tokens[i].Text(stub);
    if ((name != "todo" && name != "unimplemented") || tokens[i + 1].kind != rust::TokenKind::kNot ||
        tokens[i + 2].kind != rust::TokenKind::kOpenParen) {
      continue;
    }
    int64_t depth = 0;
    size_t end = i + 2;
    for (; end < tokens.size(); ++end) {
      if (tokens[end].kind == rust::TokenKind::kOpenParen) ++depth;
      if (tokens[end].kind == rust::TokenKind::kCloseParen && --depth == 0) break;
    }
    if (end >= tokens.size()) break;
    if (end + 1 < tokens.size() && tokens[end + 1].kind == rust::TokenKind::kSemi) ++end;
    holes.push_back({tokens[i].begin, tokens[end].end});
    i = end;
  }
  return holes;
}

Result<std::vector<Sample>> SampleTask(TextModel& model, const Task& task, const SamplingOptions& options,
                                       SamplingTimes& times) {
  std::vector<Sample> samples;
  SampleOptions request;
  request.temperature = options.temperature;
  request.top_p = options.temperature > 0 ? options.top_p : 1;
  request.seed = TaskSeed(options.seed, task.id);
  request.max_tokens = options.max_tokens;
  request.fit_prompt = true;
  if (task.mode == TaskMode::kMain) request.stop = task.stop;
  for (int64_t i = 0; i < options.samples; ++i) {
    request.choice = static_cast<uint32_t>(i);
    BodyRequest body(model, request, times);
    Sample sample;
    if (task.mode == TaskMode::kCrate) {
      PINTLE_ASSIGN(sample.completion, FillStub(body, task, sample));
    } else {
      PINTLE_ASSIGN(sample.completion, body.Run(task.prompt, OpenBrace(task.prompt), sample));
      // In mode main the tests bring the closing brace.
      if (task.mode == TaskMode::kTest) sample.completion += "}\n";
    }
    if (sample.tokens > 0) sample.mean_logprob /= static_cast<double>(sample.tokens);
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace pintle
