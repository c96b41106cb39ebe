// The bulk encoder (a cache of pieces in front of BPE) and the streaming decoder of tokenizer.h.
#include <algorithm>
#include <cstring>
#include <utility>

#include "text/pretokenizer.h"
#include "text/tokenizer.h"

namespace pintle {
namespace {

// Two entries of one cache line each share a set; 2^15 sets make 4 MiB, which a second-level cache mostly holds.
constexpr size_t kSets = size_t{1} << 15;
constexpr size_t kWays = 2;
constexpr size_t kKeyWords = 4;
constexpr size_t kMaxKey = kKeyWords * sizeof(uint64_t);
constexpr size_t kMaxIds = 7;

}  // namespace

// size 0 = empty. The key is the piece, filled up with zeros.
struct alignas(64) Encoder::Entry {
  uint64_t key[kKeyWords];
  int32_t ids[kMaxIds];
  uint8_t size, count;
};

Encoder::Encoder(const Tokenizer& tokenizer) : tokenizer_(&tokenizer), entries_(new Entry[kSets * kWays]()) {}
Encoder::~Encoder() = default;
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;

void Encoder::Encode(std::string_view text, std::vector<int32_t>& ids) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = NextPieceEnd(text, begin);
    EncodePieceCached(text.data() + begin, end - begin, text.size() - begin, ids);
    begin = end;
  }
}

// `readable` >= size bytes may be read at `piece`.
void Encoder::EncodePieceCached(const char* piece, size_t size, size_t readable, std::vector<int32_t>& ids) {
  if (size > kMaxKey) {
    tokenizer_->EncodePiece({piece, size}, ids);
    return;
  }
  uint64_t key[kKeyWords] = {};
  const size_t words = (size + 7) / 8;
  if (readable >= words * 8) {
    std::memcpy(key, piece, 8);
    for (size_t i = 1; i < words; ++i) std::memcpy(key + i, piece + i * 8, 8);
    key[words - 1] &= ~uint64_t{0} >> (words * 8 - size) * 8;  // little-endian: the low bytes are the piece's
  } else {
    std::memcpy(key, piece, size);
  }
  uint64_t hash = size;
  for (size_t i = 0; i < words; ++i) {
    hash = (hash ^ key[i]) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
  }
  Entry* set = &entries_[(hash & (kSets - 1)) * kWays];
  for (size_t way = 0; way < kWays; ++way) {
    const Entry& entry = set[way];
    if (entry.size != size || entry.key[0] != key[0]) continue;
    bool same = true;
    for (size_t i = 1; i < words; ++i) same = same && entry.key[i] == key[i];
    if (!same) continue;
    ids.push_back(entry.ids[0]);
    for (size_t i = 1; i < entry.count; ++i) ids.push_back(entry.ids[i]);
    return;
  }
  const size_t before = ids.size();
  tokenizer_->EncodePiece({piece, size}, ids);
  const size_t count = ids.size() - before;
  if (count > kMaxIds) return;
  set[1] = set[0];
  std::copy(key, key + kKeyWords, set[0].key);
  std::copy(ids.begin() + static_cast<std::ptrdiff_t>(before), ids.end(), set[0].ids);
  set[0].size = static_cast<uint8_t>(size);
  set[0].count = static_cast<uint8_t>(count);
}

std::string StreamDecoder::Push(int32_t id) {
  pending_ += tokenizer_->Decode(&id, 1, skip_specials_);
  // Hold back a tail of at most three bytes that may still become one character.
  size_t complete = pending_.size();
  for (size_t back = 1; back <= std::min<size_t>(3, pending_.size()); ++back) {
    const auto byte = static_cast<uint8_t>(pending_[pending_.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const size_t length = byte >= 0xF0 && byte < 0xF5   ? 4
                          : byte >= 0xE0 && byte < 0xF0 ? 3
                          : byte >= 0xC2 && byte < 0xE0 ? 2
                                                        : 1;
    if (length > back) complete = pending_.size() - back;
    break;
  }
  std::string text = pending_.substr(0, complete);
  pending_.erase(0, complete);
  return text;
}

std::string StreamDecoder::Finish() { return std::exchange(pending_, {}); }

}  // namespace pintle
