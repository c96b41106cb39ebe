#include <array>
#include <string_view>

#include "base/check.h"
#include "puzzles/image.h"

namespace pintle {
namespace {

void AppendBigEndian(std::string& out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

uint32_t Crc32(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (const char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

uint32_t Adler32(std::string_view bytes) {
  constexpr uint32_t kPrime = 65521;
  uint32_t a = 1, b = 0;
  for (const char c : bytes) {
    a = (a + static_cast<uint8_t>(c)) % kPrime;
    b = (b + a) % kPrime;
  }
  return b << 16 | a;
}

// Deflate with the fixed code (RFC 1951, 3.2.6): each place is compared with the last one that began with the same
// three bytes, and a match is taken at once. Drawings repeat so much that nothing finer pays.
class Deflate {
 public:
  std::string Run(std::string_view bytes) {
    constexpr size_t kShortest = 3, kLongest = 258, kWindow = 32768, kSlots = 1 << 15;
    std::vector<size_t> last(kSlots, SIZE_MAX);
    Bits(1, 1);  // the last block
    Bits(1, 2);  // with the fixed code
    for (size_t at = 0; at < bytes.size();) {
      size_t length = 0, from = SIZE_MAX;
      if (at + kShortest <= bytes.size()) {
        size_t& slot = last[Slot(bytes, at) % kSlots];
        from = slot;
        slot = at;
        if (from != SIZE_MAX && at - from <= kWindow) {
          while (length < kLongest && at + length < bytes.size() && bytes[from + length] == bytes[at + length])
            ++length;
        }
      }
      if (length < kShortest) {
        Symbol(static_cast<uint8_t>(bytes[at++]));
      } else {
        Length(static_cast<uint32_t>(length));
        Distance(static_cast<uint32_t>(at - from));
        at += length;
      }
    }
    constexpr int kEndOfBlock = 256;
    Symbol(kEndOfBlock);
    if (filled_ > 0) Bits(0, 8 - filled_);
    return std::move(out_);
  }

 private:
  static uint32_t Slot(std::string_view bytes, size_t at) {
    const auto byte = [&](size_t i) { return uint32_t{static_cast<uint8_t>(bytes[at + i])}; };
    return (byte(0) << 10 ^ byte(1) << 5 ^ byte(2)) * 40503 >> 3;
  }

  // Lowest bit first.
  void Bits(uint32_t value, int count) {
    for (int bit = 0; bit < count; ++bit) {
      byte_ = static_cast<uint8_t>(byte_ | (value >> bit & 1) << filled_);
      if (++filled_ == 8) {
        out_ += static_cast<char>(byte_);
        byte_ = 0;
        filled_ = 0;
      }
    }
  }
  // Huffman codes go highest bit first.
  void Code(uint32_t code, int count) {
    for (int bit = count - 1; bit >= 0; --bit) Bits(code >> bit & 1, 1);
  }
  void Symbol(uint32_t symbol) {
    if (symbol < 144) return Code(0x30 + symbol, 8);
    if (symbol < 256) return Code(0x190 + symbol - 144, 9);
    if (symbol < 280) return Code(symbol - 256, 7);
    return Code(0xC0 + symbol - 280, 8);
  }
  void Length(uint32_t length) {
    constexpr uint32_t kLongest = 258;
    if (length == kLongest) return Symbol(285);
    // Groups of four symbols share a number of extra bits.
    int extra = 0;
    uint32_t low = 3;
    uint32_t symbol = 257;
    for (;; symbol += 1) {
      extra = symbol < 265 ? 0 : static_cast<int>((symbol - 261) / 4);
      if (length < low + (1u << extra)) break;
      low += 1u << extra;
    }
    Symbol(symbol);
    Bits(length - low, extra);
  }
  void Distance(uint32_t distance) {
    uint32_t low = 1, code = 0;
    int extra = 0;
    for (;; ++code) {
      extra = code < 4 ? 0 : static_cast<int>(code / 2 - 1);
      if (distance < low + (1u << extra)) break;
      low += 1u << extra;
    }
    Code(code, 5);
    Bits(distance - low, extra);
  }

  std::string out_;
  uint8_t byte_ = 0;
  int filled_ = 0;
};

void AppendChunk(std::string& out, std::string_view type, std::string_view data) {
  AppendBigEndian(out, static_cast<uint32_t>(data.size()));
  const std::string body = std::string(type) + std::string(data);
  out += body;
  AppendBigEndian(out, Crc32(body));
}

}  // namespace

std::string EncodePng(const IndexedImage& image, const std::vector<uint32_t>& palette) {
  PINTLE_CHECK(image.pixels.size() == static_cast<size_t>(image.width) * static_cast<size_t>(image.height), "pixels");
  std::string header, colours, rows;
  AppendBigEndian(header, static_cast<uint32_t>(image.width));
  AppendBigEndian(header, static_cast<uint32_t>(image.height));
  header += std::string("\x08\x03\x00\x00\x00", 5);  // 8 bits, palette, deflate, filter set 0, not interlaced
  for (const uint32_t colour : palette) {
    for (int shift = 16; shift >= 0; shift -= 8) colours += static_cast<char>(colour >> shift);
  }
  for (int row = 0; row < image.height; ++row) {
    rows += '\0';  // no filter
    rows.append(
        reinterpret_cast<const char*>(&image.pixels[static_cast<size_t>(row) * static_cast<size_t>(image.width)]),
        static_cast<size_t>(image.width));
  }
  std::string stream = "\x78\x01" + Deflate().Run(rows);
  AppendBigEndian(stream, Adler32(rows));
  std::string png = "\x89PNG\r\n\x1a\n";
  AppendChunk(png, "IHDR", header);
  AppendChunk(png, "PLTE", colours);
  AppendChunk(png, "IDAT", stream);
  AppendChunk(png, "IEND", "");
  return png;
}

}  // namespace pintle
