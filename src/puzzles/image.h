// Small images with a palette, written as PNG and as animated GIF. The encoders are our own and need no library, so
// that the same pixels give the same bytes on every machine. Not here: reading images, photographs (no dithering, no
// filters). Sources: RFC 1950, RFC 1951, the PNG specification (second edition), the GIF89a specification.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pintle {

/// Pixels row after row; each is a place in a palette of up to 256 colours 0xRRGGBB.
struct IndexedImage {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> pixels;
};

/// A PNG file: 8 bits a pixel, no filter, one deflate block with the fixed code.
std::string EncodePng(const IndexedImage& image, const std::vector<uint32_t>& palette);

/// An animated GIF that repeats for ever; all frames have the size of the first. `delays` in hundredths of a second,
/// one for each frame.
std::string EncodeGif(const std::vector<IndexedImage>& frames, const std::vector<int>& delays,
                      const std::vector<uint32_t>& palette);

}  // namespace pintle
