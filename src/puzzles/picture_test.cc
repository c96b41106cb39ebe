// Pictures: the encoders against small readers written from the specifications, and whole pictures against kept files.
#include "puzzles/picture.h"

#include <doctest/doctest.h>

#include <array>

#include "base/file.h"
#include "base/rng.h"
#include "puzzles/image.h"

namespace pintle {
namespace {

// Bits of a byte string, lowest first.
class BitReader {
 public:
  explicit BitReader(std::string_view bytes) : bytes_(bytes) {}
  uint32_t Take(int count) {
    uint32_t value = 0;
    for (int bit = 0; bit < count; ++bit, ++at_) {
      REQUIRE(at_ / 8 < bytes_.size());
      value |= static_cast<uint32_t>(static_cast<uint8_t>(bytes_[at_ / 8]) >> at_ % 8 & 1) << bit;
    }
    return value;
  }
  // A Huffman code: highest bit first.
  uint32_t TakeCode(uint32_t code, int count) {
    for (; count > 0; --count) code = code << 1 | Take(1);
    return code;
  }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

uint32_t BigEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (const char c : bytes.substr(0, 4)) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

// A stream of one block with the fixed code.
std::string Inflate(std::string_view stream) {
  constexpr std::array<int, 29> kLengths = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                            31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
  constexpr std::array<int, 29> kLengthBits = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                               2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
  constexpr std::array<int, 30> kDistances = {1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
                                              33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
                                              1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
  constexpr std::array<int, 30> kDistanceBits = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                                 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};
  BitReader bits(stream);
  CHECK(bits.Take(1) == 1);
  CHECK(bits.Take(2) == 1);
  std::string out;
  for (;;) {
    uint32_t code = bits.TakeCode(0, 7), symbol = 0;
    if (code <= 0x17) {
      symbol = 256 + code;
    } else {
      code = bits.TakeCode(code, 1);
      if (code >= 0x30 && code <= 0xBF) {
        symbol = code - 0x30;
      } else if (code >= 0xC0 && code <= 0xC7) {
        symbol = 280 + code - 0xC0;
      } else {
        symbol = 144 + bits.TakeCode(code, 1) - 0x190;
      }
    }
    if (symbol == 256) return out;
    if (symbol < 256) {
      out += static_cast<char>(symbol);
      continue;
    }
    REQUIRE(symbol <= 285);
    const size_t length = static_cast<size_t>(kLengths[symbol - 257]) + bits.Take(kLengthBits[symbol - 257]);
    const uint32_t place = bits.TakeCode(0, 5);
    REQUIRE(place < 30);
    const size_t distance = static_cast<size_t>(kDistances[place]) + bits.Take(kDistanceBits[place]);
    REQUIRE(distance <= out.size());
    for (size_t i = 0; i < length; ++i) out += out[out.size() - distance];
  }
}

uint32_t PlainCrc(std::string_view bytes) {
  uint32_t crc = 0xFFFFFFFFu;
  for (const char c : bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      const uint32_t in = static_cast<uint32_t>(static_cast<uint8_t>(c) >> bit & 1);
      const uint32_t out = (crc ^ in) & 1;
      crc >>= 1;
      if (out != 0) crc ^= 0xEDB88320u;
    }
  }
  return ~crc;
}

struct Decoded {
  int width = 0, height = 0;
  std::vector<uint32_t> colours;  // of each pixel
};

Decoded DecodePng(std::string_view png) {
  REQUIRE(png.substr(0, 8) == std::string_view("\x89PNG\r\n\x1a\n"));
  Decoded image;
  std::vector<uint32_t> palette;
  std::string data;
  for (png.remove_prefix(8); !png.empty();) {
    const size_t size = BigEndian(png);
    const std::string_view type = png.substr(4, 4), body = png.substr(8, size);
    CHECK(BigEndian(png.substr(8 + size)) == PlainCrc(png.substr(4, 4 + size)));
    if (type == "IHDR") {
      image.width = static_cast<int>(BigEndian(body));
      image.height = static_cast<int>(BigEndian(body.substr(4)));
    } else if (type == "PLTE") {
      for (size_t i = 0; i < size; i += 3)
        palette.push_back(BigEndian(std::string(1, '\0') + std::string(body.substr(i, 3))));
    } else if (type == "IDAT") {
      data = Inflate(body.substr(2, size - 6));
      uint32_t a = 1, b = 0;
      for (const char c : data) {
        a = (a + static_cast<uint8_t>(c)) % 65521;
        b = (b + a) % 65521;
      }
      CHECK(BigEndian(body.substr(size - 4)) == (b << 16 | a));
    }
    png.remove_prefix(12 + size);
  }
  const auto stride = static_cast<size_t>(image.width) + 1;
  REQUIRE(data.size() == stride * static_cast<size_t>(image.height));
  for (size_t i = 0; i < data.size(); ++i) {
    if (i % stride == 0) {
      CHECK(data[i] == 0);
    } else {
      image.colours.push_back(palette.at(static_cast<uint8_t>(data[i])));
    }
  }
  return image;
}

std::vector<uint8_t> UnpackLzw(std::string_view data) {
  BitReader bits(data);
  std::vector<std::vector<uint8_t>> table;
  std::vector<uint8_t> out;
  const auto clear = [&] {
    table.clear();
    for (int i = 0; i < 256; ++i) table.push_back({static_cast<uint8_t>(i)});
    table.resize(258);
  };
  clear();
  int width = 9;
  std::vector<uint8_t> previous;
  for (;;) {
    const uint32_t code = bits.Take(width);
    if (code == 257) return out;
    if (code == 256) {
      clear();
      width = 9;
      previous.clear();
      continue;
    }
    std::vector<uint8_t> entry;
    if (code < table.size()) {
      entry = table[code];
    } else {
      REQUIRE(code == table.size());
      entry = previous;
      entry.push_back(previous.at(0));
    }
    if (!previous.empty() && table.size() < 4096) {
      previous.push_back(entry.at(0));
      table.push_back(previous);
      if (table.size() == size_t{1} << width && width < 12) ++width;
    }
    out.insert(out.end(), entry.begin(), entry.end());
    previous = entry;
  }
}

std::vector<Decoded> DecodeGif(std::string_view gif) {
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<uint8_t>(gif.at(i))); };
  const auto word = [&](size_t i) { return static_cast<int>(byte(i) | byte(i + 1) << 8); };
  REQUIRE(gif.substr(0, 6) == "GIF89a");
  const int width = word(6), height = word(8);
  REQUIRE(byte(10) == 0xF7);
  std::vector<uint32_t> palette;
  for (size_t i = 0; i < 256; ++i) {
    palette.push_back(static_cast<uint32_t>(byte(13 + 3 * i) << 16 | byte(14 + 3 * i) << 8 | byte(15 + 3 * i)));
  }
  std::vector<Decoded> frames;
  size_t at = 13 + 768;
  while (gif.at(at) != ';') {
    if (byte(at) == 0x21) {
      for (at += 2; byte(at) != 0;) at += 1 + byte(at);
      ++at;
      continue;
    }
    REQUIRE(gif.at(at) == ',');
    CHECK(word(at + 5) == width);
    CHECK(word(at + 7) == height);
    CHECK(byte(at + 10) == 8);
    std::string data;
    for (at += 11; byte(at) != 0; at += 1 + byte(at)) data += gif.substr(at + 1, byte(at));
    ++at;
    Decoded frame{width, height, {}};
    for (const uint8_t pixel : UnpackLzw(data)) frame.colours.push_back(palette[pixel]);
    frames.push_back(frame);
  }
  CHECK(at + 1 == gif.size());
  return frames;
}

// Runs, noise, and enough of it to fill the tables of both encoders.
IndexedImage TestImage(int width, int height, uint64_t step) {
  IndexedImage image{width, height, {}};
  RandomStream random(1, Purpose::kTest, step);
  while (image.pixels.size() < static_cast<size_t>(width) * static_cast<size_t>(height)) {
    const auto colour = static_cast<uint8_t>(random.NextBelow(200));
    for (uint32_t run = random.NextBelow(4) == 0 ? random.NextBelow(900) : 1; run > 0; --run)
      image.pixels.push_back(colour);
  }
  image.pixels.resize(static_cast<size_t>(width) * static_cast<size_t>(height));
  return image;
}

std::vector<uint32_t> TestPalette() {
  std::vector<uint32_t> palette;
  for (uint32_t i = 0; i < 200; ++i) palette.push_back(i * 0x010203 + 5);
  return palette;
}

TEST_CASE("PNG and GIF give back every pixel") {
  const auto palette = TestPalette();
  for (const auto& [width, height] : {std::pair{1, 1}, std::pair{7, 3}, std::pair{150, 120}, std::pair{300, 211}}) {
    const std::vector<IndexedImage> images = {TestImage(width, height, 0), TestImage(width, height, 1)};
    const auto gif = DecodeGif(EncodeGif(images, {5, 9}, palette));
    REQUIRE(gif.size() == 2);
    for (size_t i = 0; i < 2; ++i) {
      std::vector<uint32_t> expected;
      for (const uint8_t pixel : images[i].pixels) expected.push_back(palette[pixel]);
      const Decoded png = DecodePng(EncodePng(images[i], palette));
      CHECK(png.width == width);
      CHECK(png.height == height);
      CHECK(png.colours == expected);
      CHECK(gif[i].colours == expected);
    }
  }
}

struct Drawing {
  std::unique_ptr<Task> task;
  Tokens inputs;
  std::vector<PictureFrame> frames;
};

// The puzzle, a doubtful state, and the solution.
Drawing DrawingOf(const std::string& name) {
  Drawing drawing{MakeTask(name).value(), {}, {}};
  const Sample sample = drawing.task->Generate(1, 0);
  drawing.inputs = sample.inputs;
  drawing.frames.push_back({sample.inputs, {}, "puzzle"});
  PictureFrame doubtful{drawing.task->Baseline(sample.inputs), {}, "step 1: halt 0.12 < & >"};
  for (size_t i = 0; i < doubtful.cells.size(); ++i) doubtful.confidence.push_back(static_cast<float>(i % 5) * 0.25F);
  drawing.frames.push_back(doubtful);
  drawing.frames.push_back({sample.labels, {}, "step 2: 100%"});
  return drawing;
}

constexpr const char* kFolder = PINTLE_SOURCE_DIR "/src/puzzles/testdata/pictures/";

TEST_CASE("pictures are the kept ones, byte for byte") {
  for (const char* name : {"sudoku4", "maze5"}) {
    const Drawing drawing = DrawingOf(name);
    for (const char* ending : {".svg", ".png", ".gif"}) {
      const std::string path = std::string(kFolder) + name + ending;
      CAPTURE(path);
      const auto format = PictureFormatOf(path).value();
      CHECK((DrawFrames(*drawing.task, drawing.inputs, drawing.frames, format).value() == ReadFile(path).value()));
    }
  }
}

TEST_CASE("PNG shows the panels side by side, GIF one after the other") {
  const Drawing drawing = DrawingOf("sudoku4");
  const auto draw = [&](PictureFormat format) {
    return DrawFrames(*drawing.task, drawing.inputs, drawing.frames, format).value();
  };
  const Decoded png = DecodePng(draw(PictureFormat::kPng));
  const auto gif = DecodeGif(draw(PictureFormat::kGif));
  REQUIRE(gif.size() == 3);
  CHECK(png.width == 3 * gif[0].width);
  CHECK(png.height == gif[0].height);
  for (int panel = 0; panel < 3; ++panel) {
    for (int row = 0; row < png.height; ++row) {
      const auto wide = png.colours.begin() + row * png.width + panel * gif[0].width;
      const auto narrow = gif[static_cast<size_t>(panel)].colours.begin() + row * gif[0].width;
      CHECK(std::equal(narrow, narrow + gif[0].width, wide));
    }
  }
}

TEST_CASE("what does not fit is refused") {
  Drawing drawing = DrawingOf("sudoku4");
  CHECK_FALSE(DrawFrames(*drawing.task, drawing.inputs, {}, PictureFormat::kPng).ok());
  drawing.frames[1].confidence.pop_back();
  CHECK_FALSE(DrawFrames(*drawing.task, drawing.inputs, drawing.frames, PictureFormat::kSvg).ok());
  drawing.frames[1].confidence.clear();
  drawing.frames[1].cells[0] = 77;
  CHECK_FALSE(DrawFrames(*drawing.task, drawing.inputs, drawing.frames, PictureFormat::kGif).ok());
  CHECK_FALSE(PictureFormatOf("picture.jpg").ok());
}

}  // namespace
}  // namespace pintle
