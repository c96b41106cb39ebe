// Many answers at once over one decoder: continuous batching. Requests wait in a queue, take a slot when one is free,
// and go through the decoder together: each pass takes one token of every answer that is under way, with guesses of
// what follows while few are (prompt_lookup.h), and fills what is left with prompts, cut as it fits. Keys and values
// stay as long as there is room: a request shares the pages of the longest beginning that an answer under way, or one
// before, has in common with it. None of that shows in the answers: ids, text and log-probabilities are those of
// Generator::Run alone. Not here: threads (one owner calls Step), HTTP, prompts from text.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "generate/answer.h"
#include "generate/generate.h"
#include "generate/sampler.h"
#include "generate/token_table.h"
#include "models/decoder/decoder.h"

namespace pintle {

/// What is asked.
struct EngineRequest {
  std::vector<int32_t> prompt;       ///< not empty
  SampleOptions options;             ///< fit_prompt is not looked at
  TextModel::OnText on_text;         ///< called from Step with each new piece of text; false cancels
  TextModel::OnToken on_token = {};  ///< called from Step with each token, if log-probabilities are asked for
};

/// What came of it. `failure` is set when the request itself failed (its logits were not finite).
struct EngineAnswer {
  int64_t id = 0;
  Completion completion;  ///< prompt_seconds and total_seconds count from Submit
  Status failure;
};

/// One owner, one thread; decoder, pool and what the token table looks at must outlive it.
class Engine {
 public:
  /// How much is under way at once.
  struct Options {
    int64_t slots = 8;          ///< answers under way at once, 1 to Decoder::kMaxBatch
    int64_t pass_tokens = 256;  ///< tokens of one pass, from slots to Decoder::kMaxBatchTokens
  };
  static Result<std::unique_ptr<Engine>> Create(Decoder& decoder, TokenTable tokens, ThreadPool& pool,
                                                const Options& options);
  ~Engine();

  /// Queues a request and returns its number. A prompt that is empty or longer than the context, ids out of range and
  /// options out of range are errors at once.
  Result<int64_t> Submit(EngineRequest request);
  /// Ends a request: what it has so far is its answer. False if there is none of that number.
  bool Cancel(int64_t id);
  /// One pass. Returns the answers that it completed; none and idle() when there was nothing to do.
  Result<std::vector<EngineAnswer>> Step();
  [[nodiscard]] bool idle() const;

 private:
  struct Request;
  struct Sequence;
  struct Slot;
  Engine(Decoder& decoder, TokenTable tokens, ThreadPool& pool, const Options& options);
  void Admit();
  void Reserve(KvCache& cache, int64_t rows);
  void Keep(Slot& slot);
  static void Guess(Slot& slot, int64_t limit);
  std::optional<EngineAnswer> Advance(Slot& slot, std::span<const float> logits);
  EngineAnswer Complete(Slot& slot, Status failure);

  Decoder* decoder_;
  TokenTable tokens_;
  std::shared_ptr<const TokenTrie> trie_;  // made for the first request with a grammar
  Options options_;
  Sampler sampler_;
  std::deque<std::unique_ptr<Request>> queue_;
  std::shared_ptr<KvPool> pages_;
  std::vector<Slot> slots_;
  std::list<Sequence> before_;  // the one used last in front
  std::vector<EngineAnswer> cancelled_;
  int64_t next_id_ = 1;
};

}  // namespace pintle
