#include <map>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "puzzles/image.h"

namespace pintle {
namespace {

void AppendLittleEndian(std::string& out, int value) {
  out += static_cast<char>(value & 0xFF);
  out += static_cast<char>(value >> 8 & 0xFF);
}

// GIF's LZW: codes of 9 to 12 bits, lowest bit first; a full table is cleared.
class Lzw {
 public:
  std::string Run(const std::vector<uint8_t>& pixels) {
    Emit(kClear);
    int prefix = -1;
    for (const uint8_t pixel : pixels) {
      if (prefix < 0) {
        prefix = pixel;
        continue;
      }
      const auto known = table_.find({prefix, pixel});
      if (known != table_.end()) {
        prefix = known->second;
        continue;
      }
      Emit(prefix);
      if (next_ == kCodes) {
        Emit(kClear);
        table_.clear();
        next_ = kFirst;
        width_ = kNarrowest;
      } else {
        if (next_ == 1 << width_) ++width_;
        table_[{prefix, pixel}] = next_++;
      }
      prefix = pixel;
    }
    if (prefix >= 0) Emit(prefix);
    if (next_ == 1 << width_ && next_ < kCodes) ++width_;
    Emit(kEnd);
    if (filled_ > 0) out_ += static_cast<char>(bits_);
    return std::move(out_);
  }

 private:
  static constexpr int kClear = 256, kEnd = 257, kFirst = 258, kCodes = 4096, kNarrowest = 9;

  void Emit(int code) {
    bits_ |= static_cast<uint32_t>(code) << filled_;
    for (filled_ += width_; filled_ >= 8; filled_ -= 8) {
      out_ += static_cast<char>(bits_);
      bits_ >>= 8;
    }
  }

  std::map<std::pair<int, uint8_t>, int> table_;
  int next_ = kFirst;
  int width_ = kNarrowest;
  uint32_t bits_ = 0;
  int filled_ = 0;
  std::string out_;
};

}  // namespace

std::string EncodeGif(const std::vector<IndexedImage>& frames, const std::vector<int>& delays,
                      const std::vector<uint32_t>& palette) {
  PINTLE_CHECK(!frames.empty() && frames.size() == delays.size() && palette.size() <= 256, "frames");
  std::string gif = "GIF89a";
  AppendLittleEndian(gif, frames[0].width);
  AppendLittleEndian(gif, frames[0].height);
  gif += std::string("\xF7\x00\x00", 3);  // a palette of 256 colours for all frames
  for (size_t i = 0; i < 256; ++i) {
    const uint32_t colour = i < palette.size() ? palette[i] : 0;
    for (int shift = 16; shift >= 0; shift -= 8) gif += static_cast<char>(colour >> shift);
  }
  gif += std::string("\x21\xFF\x0BNETSCAPE2.0\x03\x01\x00\x00\x00", 19);  // for ever
  for (size_t frame = 0; frame < frames.size(); ++frame) {
    PINTLE_CHECK(frames[frame].width == frames[0].width && frames[frame].height == frames[0].height, "frames differ");
    gif += std::string("\x21\xF9\x04\x00", 4);
    AppendLittleEndian(gif, delays[frame]);
    gif += std::string("\x00\x00", 2);
    gif += ',';
    for (const int value : {0, 0, frames[0].width, frames[0].height}) AppendLittleEndian(gif, value);
    gif += std::string("\x00\x08", 2);  // no palette of its own, 8 bits a pixel
    const std::string data = Lzw().Run(frames[frame].pixels);
    for (size_t at = 0; at < data.size(); at += 255) {
      const std::string block = data.substr(at, 255);
      gif += static_cast<char>(block.size());
      gif += block;
    }
    gif += '\0';
  }
  return gif + ';';
}

}  // namespace pintle
