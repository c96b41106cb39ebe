#include "generate/engine.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/time.h"
#include "generate/prompt_lookup.h"

namespace pintle {

struct Engine::Request {
  int64_t id;
  EngineRequest asked;
  double submitted;
  std::optional<Answer> answer;
  PromptLookup lookup;
};

// A sequence before, whose keys and values may be of use again.
struct Engine::Sequence {
  std::vector<int32_t> ids;
  KvCache cache;  // of all ids
};

// The keys and values of one sequence, with the request that is using them.
struct Engine::Slot {
  explicit Slot(KvCache new_cache) : cache(std::move(new_cache)) {}
  KvCache cache;
  std::vector<int32_t> ids;      // of the request: prompt and answer; the first cache.length() of them are in the cache
  std::vector<int32_t> guesses;  // of what follows ids, of this pass
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
  PINTLE_ASSIGN(engine->pages_,
                KvPool::Create(decoder.config(), options.slots * KvCache::Pages(decoder.config().context)));
  for (int64_t i = 0; i < options.slots; ++i) engine->slots_.emplace_back(KvCache(engine->pages_));
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
  queue_.push_back(std::make_unique<Request>(Request{next_id_, std::move(request), MonotonicSeconds(), {}, {}}));
  Request& queued = *queue_.back();
  queued.answer.emplace(queued.asked.options, tokens_, trie_, count, context, queued.asked.on_text,
                        queued.asked.on_token);
  return next_id_++;
}

// Rows of a pass beyond which guesses cost more time than they save.
constexpr int64_t kGuessRows = 8;

// Sequences that are kept at most, if there are pages for so many.
constexpr size_t kKept = 256;

// How many ids of the prompt stand at the beginning of `ids` too. The last one of the prompt is always run: its logits
// are wanted.
int64_t Common(const std::vector<int32_t>& prompt, const std::vector<int32_t>& ids) {
  const size_t limit = std::min(prompt.size() - 1, ids.size());
  return std::mismatch(prompt.begin(), prompt.begin() + static_cast<std::ptrdiff_t>(limit), ids.begin()).first -
         prompt.begin();
}

// Gives free slots to waiting requests, in order. A request shares the longest beginning that is known, of an answer
// under way or of one before; if another is just about to work out a longer one, it waits for that.
void Engine::Admit() {
  auto slot = slots_.begin();
  for (auto request = queue_.begin(); request != queue_.end();) {
    slot = std::find_if(slot, slots_.end(), [](const Slot& one) { return one.request == nullptr; });
    if (slot == slots_.end()) return;
    const std::vector<int32_t>& prompt = (*request)->asked.prompt;
    const KvCache* best = nullptr;
    int64_t known = 0, coming = 0;
    const auto better = [&](const std::vector<int32_t>& ids, const KvCache& cache) {
      const int64_t common = Common(prompt, ids), ready = std::min(common, cache.length());
      coming = std::max(coming, common);
      if (ready <= known) return false;
      known = ready;
      best = &cache;
      return true;
    };
    for (const Slot& other : slots_) {
      if (other.request != nullptr) better(other.ids, other.cache);
    }
    auto kept = before_.end();
    for (auto it = before_.begin(); it != before_.end(); ++it) {
      if (better(it->ids, it->cache)) kept = it;
    }
    if (coming >= known + KvCache::kPage) {
      ++request;
      continue;
    }
    if (kept != before_.end()) before_.splice(before_.begin(), before_, kept);
    slot->ids = prompt;
    if (best != nullptr) slot->cache.ShareBeginning(*best, known);
    slot->request = std::move(*request);
    slot->request->answer->completion().cached_tokens = known;
    request = queue_.erase(request);
  }
}

// Pages for the rows of a pass; what was kept longest without use goes for them.
void Engine::Reserve(KvCache& cache, int64_t rows) {
  while (!cache.Reserve(rows)) {
    PINTLE_CHECK(!before_.empty(), "the pool holds a whole context for each slot");
    before_.pop_back();
  }
}

// Keeps the keys and values of a slot for requests that begin likewise.
void Engine::Keep(Slot& slot) {
  slot.ids.resize(static_cast<size_t>(slot.cache.length()));
  if (!slot.ids.empty()) {
    before_.remove_if([&](const Sequence& old) {
      return old.ids.size() <= slot.ids.size() && std::equal(old.ids.begin(), old.ids.end(), slot.ids.begin());
    });
    before_.push_front({std::move(slot.ids), std::exchange(slot.cache, KvCache(pages_))});
    if (before_.size() > kKept) before_.pop_back();
  }
  slot.ids.clear();
}

EngineAnswer Engine::Complete(Slot& slot, Status failure) {
  const std::unique_ptr<Request> request = std::move(slot.request);
  Keep(slot);
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
  // Answers under way first, with what is guessed to follow; prompts share what is left of the pass.
  std::vector<Slot*> slots;
  std::vector<Decoder::Sequence> sequences;
  const auto size = [](const std::vector<int32_t>& ids) { return static_cast<int64_t>(ids.size()); };
  const auto waiting = [&](const Slot& slot) { return size(slot.ids) - size(slot.guesses) - slot.cache.length(); };
  const auto answering = std::count_if(slots_.begin(), slots_.end(),
                                       [&](const Slot& slot) { return slot.request != nullptr && waiting(slot) == 1; });
  const int64_t guesses = kGuessRows / std::max<int64_t>(answering, 1) - 1;
  int64_t left = options_.pass_tokens;
  for (const bool prompts : {false, true}) {
    for (Slot& slot : slots_) {
      if (slot.request == nullptr || (waiting(slot) > 1) != prompts || left == 0) continue;
      if (!prompts) Guess(slot, std::min(guesses, options_.pass_tokens / answering - 1));
      const int64_t guessed = size(slot.guesses), count = std::min(waiting(slot), left - guessed) + guessed;
      left -= count;
      Reserve(slot.cache, count);
      slots.push_back(&slot);
      sequences.push_back(
          {{slot.ids.data() + slot.cache.length(), static_cast<size_t>(count)}, &slot.cache, guessed + 1});
    }
  }
  if (slots.empty()) return done;
  PINTLE_ASSIGN(const std::span<const float> logits, decoder_->ExtendBatch(sequences));
  size_t row = 0;
  for (size_t i = 0; i < slots.size(); ++i) {
    const auto rows = static_cast<size_t>(sequences[i].rows), vocab = static_cast<size_t>(decoder_->config().vocab);
    if (size(slots[i]->ids) == slots[i]->cache.length()) {  // else more of its prompt goes into the next pass
      std::optional<EngineAnswer> answer = Advance(*slots[i], logits.subspan(row * vocab, rows * vocab));
      if (answer) done.push_back(std::move(*answer));
    }
    row += rows;
  }
  return done;
}

// Puts guesses behind the ids of an answer under way.
void Engine::Guess(Slot& slot, int64_t limit) {
  Request& request = *slot.request;
  limit = std::min({limit, request.asked.options.guess_tokens, request.answer->Left()});
  request.lookup.Guess(slot.ids, limit, slot.guesses);
  slot.ids.insert(slot.ids.end(), slot.guesses.begin(), slot.guesses.end());
}

// Samples what follows the prompt, or the last token and each guess that came true: one row of logits each.
std::optional<EngineAnswer> Engine::Advance(Slot& slot, std::span<const float> logits) {
  Request& request = *slot.request;
  Completion& completion = request.answer->completion();
  if (completion.ids.empty()) completion.prompt_seconds = MonotonicSeconds() - request.submitted;
  const std::vector<int32_t> guesses = std::exchange(slot.guesses, {});
  const size_t vocab = logits.size() / (guesses.size() + 1);
  const size_t known = std::min(vocab, static_cast<size_t>(tokens_.size()));
  slot.ids.resize(slot.ids.size() - guesses.size());
  for (size_t right = 0;; ++right) {
    const auto token =
        sampler_.Sample(logits.subspan(right * vocab, known), request.asked.options, request.answer->position(),
                        {request.asked.prompt, completion.ids, request.answer->Allowed()});
    const bool more = token.ok() && request.answer->Take(*token);
    if (more && right < guesses.size() && token->id == guesses[right]) {
      slot.ids.push_back(token->id);
      continue;
    }
    request.lookup.Learn(static_cast<int64_t>(guesses.size()), static_cast<int64_t>(right));
    completion.guessed_tokens += static_cast<int64_t>(guesses.size());
    completion.right_guesses += static_cast<int64_t>(right);
    slot.cache.Truncate(static_cast<int64_t>(slot.ids.size()));
    if (!more) return Complete(slot, token.ok() ? Status() : Status(token.error()));
    slot.ids.push_back(token->id);
    return std::nullopt;
  }
}

}  // namespace pintle
