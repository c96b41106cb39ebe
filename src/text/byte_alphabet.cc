#include "text/byte_alphabet.h"

#include <array>

namespace pintle {
namespace {

constexpr bool IsVisible(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

constexpr std::array<uint16_t, 256> MakeCodepoints() {
  std::array<uint16_t, 256> codepoints{};
  uint16_t next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    codepoints[static_cast<size_t>(byte)] = IsVisible(byte) ? static_cast<uint16_t>(byte) : next++;
  }
  return codepoints;
}
constexpr std::array<uint16_t, 256> kCodepoints = MakeCodepoints();
constexpr size_t kCodepointCount = 256 + 68;  // 68 bytes are not visible

constexpr std::array<int16_t, kCodepointCount> MakeBytes() {
  std::array<int16_t, kCodepointCount> bytes{};
  for (auto& byte : bytes) byte = -1;
  for (int16_t byte = 0; byte < 256; ++byte) bytes[kCodepoints[static_cast<size_t>(byte)]] = byte;
  return bytes;
}
constexpr std::array<int16_t, kCodepointCount> kBytes = MakeBytes();

}  // namespace

uint32_t PrintableCodepoint(uint8_t byte) { return kCodepoints[byte]; }

std::string ToPrintable(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const uint32_t codepoint = kCodepoints[static_cast<uint8_t>(c)];
    if (codepoint < 0x80) {
      out += static_cast<char>(codepoint);
    } else {
      out += static_cast<char>(0xC0 | codepoint >> 6);
      out += static_cast<char>(0x80 | (codepoint & 0x3F));
    }
  }
  return out;
}

std::optional<std::string> FromPrintable(std::string_view printable) {
  std::string out;
  out.reserve(printable.size());
  for (size_t i = 0; i < printable.size(); ++i) {
    uint32_t codepoint = static_cast<uint8_t>(printable[i]);
    if (codepoint >= 0x80) {
      // Every other character of the alphabet has two bytes: C2..C5 and a continuation.
      if (codepoint < 0xC2 || codepoint > 0xC5 || i + 1 == printable.size()) return std::nullopt;
      const auto next = static_cast<uint8_t>(printable[++i]);
      if ((next & 0xC0) != 0x80) return std::nullopt;
      codepoint = (codepoint & 0x1F) << 6 | (next & 0x3F);
    }
    if (codepoint >= kCodepointCount || kBytes[codepoint] < 0) return std::nullopt;
    out += static_cast<char>(kBytes[codepoint]);
  }
  return out;
}

}  // namespace pintle
