#include "generate/constraint.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

namespace pintle {
namespace {

using Kind = GrammarState::Kind;

constexpr int32_t kUnknown = -1, kDead = -2;
constexpr size_t kLongestToken = 65535;
constexpr int64_t kMaxReadings = 20000;  // states looked at to close one set, if it has a way on by then
constexpr int64_t kMaxWork = 500000;     // states looked at for one mask; tokens of one byte are looked at all the same
constexpr int64_t kSetWork = 64;         // what a set costs beside its states
constexpr size_t kMaxSets = 8192;        // remembered from step to step
constexpr int kMaxMasks = 64;

uint64_t Pair(int32_t a, int32_t b) { return uint64_t{static_cast<uint32_t>(a)} << 32 | static_cast<uint32_t>(b); }

}  // namespace

TokenTrie::TokenTrie(const TokenTable& tokens) : words_((static_cast<size_t>(tokens.size()) + 63) / 64) {
  std::vector<std::pair<std::string_view, int32_t>> sorted;
  for (int32_t id = 0; id < tokens.size(); ++id) {
    const std::string& bytes = tokens.Bytes(id);
    if (tokens.Ends(id)) {
      ends_.push_back(id);
    } else if (!bytes.empty() && bytes.size() <= kLongestToken) {
      sorted.emplace_back(bytes, id);
    }
  }
  std::sort(sorted.begin(), sorted.end());
  std::vector<size_t> path;  // the nodes of the token before
  std::string_view last;
  for (const auto& [bytes, id] : sorted) {
    const size_t same =
        static_cast<size_t>(std::mismatch(bytes.begin(), bytes.end(), last.begin(), last.end()).first - bytes.begin());
    for (; path.size() > same; path.pop_back()) nodes_[path.back()].skip = static_cast<int32_t>(nodes_.size());
    for (size_t depth = same; depth < bytes.size(); ++depth) {
      path.push_back(nodes_.size());
      nodes_.push_back(
          {0, static_cast<int32_t>(tokens_.size()), static_cast<uint16_t>(depth), static_cast<uint8_t>(bytes[depth])});
    }
    tokens_.push_back(id);
    last = bytes;
  }
  for (; !path.empty(); path.pop_back()) nodes_[path.back()].skip = static_cast<int32_t>(nodes_.size());
  nodes_.push_back({0, static_cast<int32_t>(tokens_.size()), 0, 0});
}

Constraint::Constraint(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTrie> trie)
    : grammar_(std::move(grammar)), trie_(std::move(trie)), frames_(1) {
  at_ = Close({{grammar_->start(), 0}});
}

int32_t Constraint::Push(int32_t state, int32_t stack) {
  const auto [it, added] = frame_ids_.emplace(Pair(stack, state), static_cast<int32_t>(frames_.size()));
  if (added) frames_.push_back({state, stack, frames_[static_cast<size_t>(stack)].depth + 1});
  return it->second;
}

int32_t Constraint::Intern(std::vector<Config> configs, bool complete) {
  std::sort(configs.begin(), configs.end());
  const auto [it, added] =
      set_ids_.emplace(std::pair(std::move(configs), complete), static_cast<int32_t>(sets_.size()));
  if (added) {
    sets_.push_back({it->first.first, complete, {}, {}});
    sets_.back().next.fill(kUnknown);
  }
  return it->second;
}

// The set of byte states that can be reached from `from` without a byte.
int32_t Constraint::Close(const std::vector<Config>& from) {
  std::vector<Config> open, found;
  std::unordered_set<uint64_t> seen;
  bool complete = false;
  const auto visit = [&](int32_t state, int32_t stack) {
    const int32_t depth = frames_[static_cast<size_t>(stack)].depth;
    if (depth + grammar_->state(state).need > grammar_->max_depth()) return;
    if (seen.insert(Pair(state, stack)).second) open.push_back({state, stack});
  };
  for (const Config& config : from) visit(config.state, config.stack);
  int64_t steps = 0;
  while (!open.empty() && (steps < kMaxReadings || (found.empty() && !complete))) {
    ++steps;
    const Config config = open.back();
    open.pop_back();
    const GrammarState& state = grammar_->state(config.state);
    switch (state.kind) {
      case Kind::kByte:
        found.push_back(config);
        break;
      case Kind::kSplit:
        visit(state.other, config.stack);
        visit(state.next, config.stack);
        break;
      case Kind::kCall:
        visit(state.other, state.next == GrammarBuilder::kReturn ? config.stack : Push(state.next, config.stack));
        break;
      case Kind::kReturn:
        if (config.stack == 0) {
          complete = true;
        } else {
          const Frame frame = frames_[static_cast<size_t>(config.stack)];
          visit(frame.state, frame.below);
        }
        break;
    }
  }
  work_ += steps + kSetWork;
  return Intern(std::move(found), complete);
}

int32_t Constraint::Next(int32_t set, uint8_t byte) {
  const auto id = static_cast<size_t>(set);
  if (sets_[id].next[byte] != kUnknown) return sets_[id].next[byte];
  std::vector<Config> after;
  for (const Config& config : sets_[id].configs) {
    const GrammarState& state = grammar_->state(config.state);
    if (state.low <= byte && byte <= state.high) after.push_back({state.next, config.stack});
  }
  const int32_t next = after.empty() ? kDead : Close(after);
  sets_[id].next[byte] = next;
  return next;
}

std::span<const uint64_t> Constraint::Allowed() {
  if (!sets_[static_cast<size_t>(at_)].mask.empty()) return sets_[static_cast<size_t>(at_)].mask;
  std::vector<uint64_t> mask(trie_->words());
  const auto allow = [&](int32_t id) { mask[static_cast<size_t>(id) / 64] |= uint64_t{1} << (id % 64); };
  work_ = 0;
  for (int byte = 0; byte < 256; ++byte) Next(at_, static_cast<uint8_t>(byte));
  const std::vector<TokenTrie::Node>& nodes = trie_->nodes();
  std::vector<int32_t> path = {at_};  // the set before the byte of each depth
  for (size_t i = 0; i + 1 < nodes.size();) {
    const TokenTrie::Node& node = nodes[i];
    const int32_t from = path[node.depth];
    int32_t to = sets_[static_cast<size_t>(from)].next[node.byte];
    if (to == kUnknown) to = work_ < kMaxWork ? Next(from, node.byte) : kDead;
    if (to == kDead) {
      i = static_cast<size_t>(node.skip);
      continue;
    }
    ++i;
    for (int32_t token = node.token; token < nodes[i].token; ++token) {
      allow(trie_->tokens()[static_cast<size_t>(token)]);
    }
    path.resize(node.depth + size_t{1});
    path.push_back(to);
  }
  if (complete()) {
    for (const int32_t id : trie_->ends()) allow(id);
  }
  if (masks_ == kMaxMasks) {
    for (Set& set : sets_) set.mask = {};
    masks_ = 0;
  }
  ++masks_;
  return sets_[static_cast<size_t>(at_)].mask = std::move(mask);
}

bool Constraint::Take(std::string_view bytes) {
  int32_t at = at_;
  for (const char byte : bytes) {
    at = Next(at, static_cast<uint8_t>(byte));
    if (at == kDead) return false;
  }
  at_ = at;
  if (sets_.size() > kMaxSets) Shrink();
  return true;
}

// Forgets all but where the text stands.
void Constraint::Shrink() {
  const Set now = std::move(sets_[static_cast<size_t>(at_)]);
  const std::vector<Frame> frames = std::exchange(frames_, std::vector<Frame>(1));
  sets_.clear();
  set_ids_.clear();
  frame_ids_.clear();
  masks_ = 0;
  std::vector<Config> configs;
  for (const Config& config : now.configs) {
    std::vector<int32_t> waiting;  // from the top
    for (int32_t frame = config.stack; frame != 0; frame = frames[static_cast<size_t>(frame)].below) {
      waiting.push_back(frames[static_cast<size_t>(frame)].state);
    }
    int32_t stack = 0;
    for (size_t i = waiting.size(); i-- > 0;) stack = Push(waiting[i], stack);
    configs.push_back({config.state, stack});
  }
  at_ = Intern(std::move(configs), now.complete);
}

}  // namespace pintle
