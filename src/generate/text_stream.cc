#include "generate/text_stream.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace pintle {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

enum class Utf8 { kWhole, kUnfinished, kDamaged };

// What stands at the beginning of `text` and how many bytes it takes (RFC 3629: no overlong forms, no surrogates,
// nothing above U+10FFFF).
Utf8 Look(std::string_view text, size_t& length) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  length = 1;
  if (first < 0x80) return Utf8::kWhole;
  if (first < 0xc2 || first > 0xf4) return Utf8::kDamaged;
  const size_t wanted = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  for (; length < wanted; ++length) {
    if (length == text.size()) return Utf8::kUnfinished;
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    if (length == 1) {
      low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : low;
      high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : high;
    }
    if (byte(length) < low || byte(length) > high) return Utf8::kDamaged;
  }
  return Utf8::kWhole;
}

}  // namespace

void TakeWholeUtf8(std::string& bytes, std::string& text) {
  size_t at = 0;
  while (at < bytes.size()) {
    size_t length = 0;
    const Utf8 what = Look(std::string_view(bytes).substr(at), length);
    if (what == Utf8::kUnfinished) break;
    text += what == Utf8::kWhole ? std::string_view(bytes).substr(at, length) : kReplacement;
    at += length;
  }
  bytes.erase(0, at);
}

std::string TextStream::Push(std::string_view bytes) {
  if (stopped_) return {};
  bytes_ += bytes;
  TakeWholeUtf8(bytes_, held_);
  size_t end = std::string::npos;
  for (const auto& stop : stop_) end = std::min(end, held_.find(stop));
  if (end != std::string::npos) {
    stopped_ = true;
    bytes_.clear();
    return std::exchange(held_, {}).substr(0, end);
  }
  // The earliest place from which the rest could still grow into a stop text.
  size_t keep = held_.size();
  for (const auto& stop : stop_) {
    const size_t longest = std::min(stop.size() - 1, held_.size());
    for (size_t size = longest; size > 0; --size) {
      if (held_.compare(held_.size() - size, size, stop, 0, size) == 0) {
        keep = std::min(keep, held_.size() - size);
        break;
      }
    }
  }
  std::string out = held_.substr(0, keep);
  held_.erase(0, keep);
  return out;
}

std::string TextStream::Finish() {
  bytes_.clear();
  return stopped_ ? std::string() : std::exchange(held_, {});
}

}  // namespace pintle
