#include "generate/engine.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/time.h"

namespace pintle {

struct Engine::Request {
  int64_t id;
  EngineRequest asked;
  double submitted;
  std::optional<Answer> answer;
};

// The keys and values of one sequence, with the request that is using them.
struct Engine::Slot {
  explicit Slot(KvCache new_cache) : cache(std::move(new_cache)) {}
  KvCache cache;
  std::vector<int32_t> ids;  // of the request: prompt and answer; the first cache.length() of them are in the cache
  std::unique_ptr<Request> request;
};

Engine::Engine(Decoder& decoder, TokenTable tokens, ThreadPool& pool, const Options& options)
    : decoder_(&decoder), tokens_(tokens), options_(options), sampler_(pool) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::Create(Decoder& decoder, TokenTable tokens, ThreadPool& pool,
                                               const Options& options) {
  if (options.slots < 1 || options.slots > Decoder::kMaxBatch || options.pass_tokens < options.slots ||
      options.pass_tokens > Decoder::kMaxBatchTokens) {
    return UsageError("an engine has 1 to " + std::to_string(Decoder::kMaxBatch) + " slots and passes of at most " +
                      std::to_string(Decoder::kMaxBatchTokens) + " tokens");
  }
  auto engine = std::unique_ptr<Engine>(new Engine(decoder, tokens, pool, options));
  for (int64_t i = 0; i < options.slots; ++i) {
    PINTLE_ASSIGN(KvCache cache, KvCache::Create(decoder.config()));
    engine->slots_.emplace_back(std::move(cache));
  }
  return engine;
}

Result<int64_t> Engine::Submit(EngineRequest request) {
  PINTLE_RETURN_IF_ERROR(ValidateSampleOptions(request.options, tokens_.size()));
  const auto count = static_cast<int64_t>(request.prompt.size());
  const int64_t context = decoder_->config().context;
  if (count < 1 || count > context) {
    return ValidationError("the prompt has " + std::to_string(count) + " tokens, the model's context holds " +
                           std::to_string(context));
  }
  for (const int32_t id : request.prompt) {
    if (id < 0 || id >= decoder_->config().vocab) return ValidationError("there is no token " + std::to_string(id));
  }
  if (request.options.grammar != nullptr && trie_ == nullptr) trie_ = std::make_shared<const TokenTrie>(tokens_);
  queue_.push_back(std::make_unique<Request>(Request{next_id_, std::move(request), MonotonicSeconds(), {}}));
  Request& queued = *queue_.back();
  queued.answer.emplace(queued.asked.options, tokens_, trie_, count, context, queued.asked.on_text,
                        queued.asked.on_token);
  return next_id_++;
}

// Gives waiting requests, in order, the free slot that knows the longest beginning of their prompt.
void Engine::Admit() {
  while (!queue_.empty()) {
    Slot* best = nullptr;
    size_t best_same = 0;
    const std::vector<int32_t>& prompt = queue_.front()->asked.prompt;
    for (Slot& slot : slots_) {
      if (slot.request != nullptr) continue;
      // At least the last id of the prompt is run: its logits are wanted.
      const size_t limit = std::min(prompt.size() - 1, static_cast<size_t>(slot.cache.length()));
      size_t same = 0;
      while (same < limit && prompt[same] == slot.ids[same]) ++same;
      // Of equal ones the slot that holds least: what others know stays.
      if (best == nullptr || same > best_same || (same == best_same && slot.cache.length() < best->cache.length())) {
        best = &slot;
        best_same = same;
      }
    }
    if (best == nullptr) return;
    best->request = std::move(queue_.front());
    queue_.pop_front();
    best->ids = best->request->asked.prompt;
    best->cache.Truncate(static_cast<int64_t>(best_same));
    best->request->answer->completion().cached_tokens = static_cast<int64_t>(best_same);
  }
}

EngineAnswer Engine::Complete(Slot& slot, Status failure) {
  const std::unique_ptr<Request> request = std::move(slot.request);
  EngineAnswer done = {request->id, request->answer->Finish(), std::move(failure)};
  done.completion.total_seconds = MonotonicSeconds() - request->submitted;
  return done;
}

bool Engine::Cancel(int64_t id) {
  for (auto it = queue_.begin(); it != queue_.end(); ++it) {
    if ((*it)->id != id) continue;
    cancelled_.push_back({id, (*it)->answer->Finish(), {}});
    queue_.erase(it);
    return true;
  }
  for (Slot& slot : slots_) {
    if (slot.request == nullptr || slot.request->id != id) continue;
    cancelled_.push_back(Complete(slot, {}));
    return true;
  }
  return false;
}

bool Engine::idle() const {
  return queue_.empty() && cancelled_.empty() &&
         std::all_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.request == nullptr; });
}

Result<std::vector<EngineAnswer>> Engine::Step() {
  std::vector<EngineAnswer> done = std::exchange(cancelled_, {});
  Admit();
  // Answers under way first, one token each; prompts share what is left of the pass.
  std::vector<Slot*> slots;
  std::vector<Decoder::Sequence> sequences;
  const auto waiting = [](const Slot& slot) { return static_cast<int64_t>(slot.ids.size()) - slot.cache.length(); };
  int64_t left = options_.pass_tokens;
  for (const bool prompts : {false, true}) {
    for (Slot& slot : slots_) {
      if (slot.request == nullptr || (waiting(slot) > 1) != prompts || left == 0) continue;
      const int64_t count = std::min(waiting(slot), left);
      left -= count;
      slots.push_back(&slot);
      sequences.push_back({{slot.ids.data() + slot.cache.length(), static_cast<size_t>(count)}, &slot.cache});
    }
  }
  if (slots.empty()) return done;
  PINTLE_ASSIGN(const std::span<const float> logits, decoder_->ExtendBatch(sequences));
  const auto row = static_cast<size_t>(decoder_->config().vocab);
  const size_t known = std::min(row, static_cast<size_t>(tokens_.size()));
  for (size_t i = 0; i < slots.size(); ++i) {
    Slot& slot = *slots[i];
    if (waiting(slot) > 0) continue;  // more of its prompt goes into the next pass
    Request& request = *slot.request;
    Completion& completion = request.answer->completion();
    if (completion.ids.empty()) completion.prompt_seconds = MonotonicSeconds() - request.submitted;
    const std::vector<int32_t>& prompt = request.asked.prompt;
    const auto token = sampler_.Sample(logits.subspan(i * row, known), request.asked.options,
                                       request.answer->position(), {prompt, completion.ids, request.answer->Allowed()});
    if (!token.ok()) {
      done.push_back(Complete(slot, token.error()));
      continue;
    }
    if (request.answer->Take(*token)) {
      slot.ids.push_back(token->id);
    } else {
      done.push_back(Complete(slot, {}));
    }
  }
  return done;
}

}  // namespace pintle
