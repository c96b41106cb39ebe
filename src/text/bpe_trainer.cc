#include "text/bpe_trainer.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <queue>
#include <unordered_map>

#include "text/pretokenizer.h"

namespace pintle {
namespace {

uint64_t HashPiece(std::string_view piece) {
  uint64_t hash = piece.size() * 0x9E3779B97F4A7C15u;
  size_t at = 0;
  for (; at + 8 <= piece.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, piece.data() + at, 8);
    hash = (hash ^ word) * 0xFF51AFD7ED558CCDu;
    hash ^= hash >> 32;
  }
  uint64_t tail = 0;
  std::memcpy(&tail, piece.data() + at, piece.size() - at);
  hash = (hash ^ tail) * 0xFF51AFD7ED558CCDu;
  return hash ^ hash >> 32;
}

}  // namespace

// Open addressing over pieces whose bytes lie in large blocks.
struct PieceCounter::State {
  struct Slot {
    uint64_t hash = 0;
    const char* bytes = nullptr;  // null: free
    uint32_t size = 0;
    int64_t count = 0;
  };
  std::vector<Slot> slots = std::vector<Slot>(1 << 12);
  std::deque<std::string> blocks;
  size_t used = 0;
  int64_t total = 0;

  const char* Store(std::string_view piece) {
    constexpr size_t kBlock = size_t{1} << 20;
    if (blocks.empty() || blocks.back().size() + piece.size() > blocks.back().capacity()) {
      blocks.emplace_back();
      blocks.back().reserve(std::max(kBlock, piece.size()));
    }
    std::string& block = blocks.back();
    block.append(piece);
    return block.data() + block.size() - piece.size();
  }

  void Add(std::string_view piece, int64_t count) {
    total += count;
    const uint64_t hash = HashPiece(piece);
    size_t at = hash & (slots.size() - 1);
    for (; slots[at].bytes != nullptr; at = (at + 1) & (slots.size() - 1)) {
      Slot& slot = slots[at];
      if (slot.hash == hash && slot.size == piece.size() && std::memcmp(slot.bytes, piece.data(), piece.size()) == 0) {
        slot.count += count;
        return;
      }
    }
    slots[at] = {hash, Store(piece), static_cast<uint32_t>(piece.size()), count};
    if (++used * 2 > slots.size()) Grow();
  }

  void Grow() {
    std::vector<Slot> old(slots.size() * 2);
    old.swap(slots);
    for (const Slot& slot : old) {
      if (slot.bytes == nullptr) continue;
      size_t at = slot.hash & (slots.size() - 1);
      while (slots[at].bytes != nullptr) at = (at + 1) & (slots.size() - 1);
      slots[at] = slot;
    }
  }
};

PieceCounter::PieceCounter() : state_(std::make_unique<State>()) {}
PieceCounter::~PieceCounter() = default;
PieceCounter::PieceCounter(PieceCounter&&) noexcept = default;
PieceCounter& PieceCounter::operator=(PieceCounter&&) noexcept = default;

void PieceCounter::Add(std::string_view piece, int64_t count) { state_->Add(piece, count); }

void PieceCounter::AddText(std::string_view text) {
  ForEachPiece(text, [&](size_t begin, size_t end) { state_->Add(text.substr(begin, end - begin), 1); });
}

void PieceCounter::Merge(const PieceCounter& other) {
  for (const State::Slot& slot : other.state_->slots) {
    if (slot.bytes != nullptr) state_->Add({slot.bytes, slot.size}, slot.count);
  }
}

std::vector<std::pair<std::string_view, int64_t>> PieceCounter::Sorted() const {
  std::vector<std::pair<std::string_view, int64_t>> sorted;
  sorted.reserve(state_->used);
  for (const State::Slot& slot : state_->slots) {
    if (slot.bytes != nullptr) sorted.emplace_back(std::string_view(slot.bytes, slot.size), slot.count);
  }
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

size_t PieceCounter::distinct() const { return state_->used; }
int64_t PieceCounter::total() const { return state_->total; }

namespace {

// The pieces as sequences of token ids, and for each adjacent pair how often it occurs and in which pieces.
class Trainer {
 public:
  Trainer(const PieceCounter& pieces, const BpeTrainerOptions& options) : options_(options) {
    for (int byte = 0; byte < 256; ++byte) {
      tokens_.emplace_back(1, static_cast<char>(byte));
      known_.emplace(tokens_.back(), byte);
    }
    for (const auto& [piece, count] : pieces.Sorted()) {
      if (piece.size() < 2) continue;
      const auto word = static_cast<uint32_t>(words_.size());
      words_.push_back({symbols_.size(), static_cast<uint32_t>(piece.size()), count});
      for (const char c : piece) symbols_.push_back(static_cast<uint8_t>(c));
      for (size_t i = 0; i + 1 < piece.size(); ++i) {
        Change(static_cast<uint8_t>(piece[i]), static_cast<uint8_t>(piece[i + 1]), word, +1);
      }
    }
    for (const uint64_t pair : touched_) Push(pair);
    touched_.clear();
  }

  std::vector<std::pair<int32_t, int32_t>> Run() {
    std::vector<std::pair<int32_t, int32_t>> merges;
    int64_t made = 0;
    while (made < options_.merged_tokens && !heap_.empty()) {
      const Candidate best = heap_.top();
      heap_.pop();
      const auto found = pairs_.find(best.pair);
      if (found == pairs_.end() || found->second.count != best.count) continue;  // counted anew since, and pushed again
      if (best.count < options_.min_count) break;
      const auto left = static_cast<int32_t>(best.pair >> 32), right = static_cast<int32_t>(best.pair);
      std::string bytes = tokens_[static_cast<size_t>(left)] + tokens_[static_cast<size_t>(right)];
      if (static_cast<int64_t>(bytes.size()) > options_.max_token_bytes) continue;
      const auto [place, fresh] = known_.emplace(std::move(bytes), static_cast<int32_t>(tokens_.size()));
      if (fresh) {
        tokens_.push_back(place->first);
        ++made;
      }
      merges.emplace_back(left, right);
      Merge(left, right, place->second, std::move(found->second.words));
    }
    return merges;
  }

 private:
  struct Word {
    size_t begin;
    uint32_t size;
    int64_t count;
  };
  struct Pair {
    int64_t count = 0;
    std::vector<uint32_t> words;  // all that hold the pair, some that lost it
    bool touched = false;
  };
  struct Candidate {
    int64_t count;
    uint64_t pair;
    bool operator<(const Candidate& other) const {
      return count != other.count ? count < other.count : pair > other.pair;
    }
  };

  // The pair (left, right) occurs once more or once less in the word.
  void Change(int32_t left, int32_t right, uint32_t index, int sign) {
    const uint64_t key = static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
    Pair& pair = pairs_[key];
    pair.count += sign * words_[index].count;
    if (sign > 0 && (pair.words.empty() || pair.words.back() != index)) pair.words.push_back(index);
    if (!pair.touched) {
      pair.touched = true;
      touched_.push_back(key);
    }
  }

  void Push(uint64_t key) {
    const auto found = pairs_.find(key);
    found->second.touched = false;
    if (found->second.count > 0) {
      heap_.push({found->second.count, key});
    } else {
      pairs_.erase(found);
    }
  }

  // Every (left, right) becomes `result`, from left to right; the pairs around it are counted anew.
  void Merge(int32_t left, int32_t right, int32_t result, std::vector<uint32_t> words) {
    for (const uint32_t index : words) {
      Word& word = words_[index];
      int32_t* symbols = symbols_.data() + word.begin;
      uint32_t size = 0;
      for (uint32_t i = 0; i < word.size; ++i) {
        if (i + 1 == word.size || symbols[i] != left || symbols[i + 1] != right) {
          symbols[size++] = symbols[i];
          continue;
        }
        Change(left, right, index, -1);
        if (size > 0) {
          Change(symbols[size - 1], left, index, -1);
          Change(symbols[size - 1], result, index, +1);
        }
        if (i + 2 < word.size) {
          Change(right, symbols[i + 2], index, -1);
          Change(result, symbols[i + 2], index, +1);
        }
        symbols[size++] = result;
        ++i;
      }
      word.size = size;
    }
    for (const uint64_t key : touched_) Push(key);
    touched_.clear();
  }

  BpeTrainerOptions options_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int32_t> known_;
  std::vector<Word> words_;
  std::vector<int32_t> symbols_;
  std::unordered_map<uint64_t, Pair> pairs_;
  std::vector<uint64_t> touched_;
  std::priority_queue<Candidate> heap_;
};

}  // namespace

std::vector<std::pair<int32_t, int32_t>> TrainBpe(const PieceCounter& pieces, const BpeTrainerOptions& options) {
  return Trainer(pieces, options).Run();
}

}  // namespace pintle
