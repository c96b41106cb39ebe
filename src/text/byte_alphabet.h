// The printable alphabet of byte-level BPE files: each of the 256 bytes has a visible character, so that tokens can
// stand in JSON and in lines of text. Source: GPT-2's bytes_to_unicode.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pintle {

/// The code point that stands for `byte`: itself for ! to ~, A1 to AC and AE to FF, else 256 and upwards in byte order.
uint32_t PrintableCodepoint(uint8_t byte);
/// Bytes written in the alphabet, as UTF-8.
std::string ToPrintable(std::string_view bytes);
/// The bytes behind `printable`; nothing if a character is not of the alphabet.
std::optional<std::string> FromPrintable(std::string_view printable);

}  // namespace pintle
