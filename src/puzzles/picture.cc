// A picture is first a list of marks (filled rectangles and texts); then SVG writes them down, or they become pixels.
#include "puzzles/picture.h"

#include <algorithm>
#include <map>

#include "puzzles/image.h"
#include "puzzles/picture_font.h"

namespace pintle {
namespace {

using Colour = uint32_t;  // 0xRRGGBB
constexpr Colour kPaper = 0xFFFFFF, kInk = 0x1F2933, kAnswer = 0x1D4ED8, kFine = 0xCBD2D9, kGivenGround = 0xE4E7EB;
constexpr Colour kUnsure = 0xF59E0B, kChanged = 0xE11D48;

constexpr int kCell = 24, kMargin = 12, kCaption = 24, kPanelsAcross = 4;

struct Mark {
  int x = 0, y = 0, width = 0, height = 0;
  Colour colour = 0;
};
// Centred on (x, y); a dot of a letter is `dot` pixels wide.
struct Text {
  int x = 0, y = 0, dot = 1;
  Colour colour = 0;
  bool bold = false;
  std::string text;
};
struct Scene {
  int width = 0, height = 0;
  std::vector<Mark> marks;
  std::vector<Text> texts;
};

// `share` of the second colour, in steps of an eighth: a picture needs few colours.
Colour Mix(Colour from, Colour to, float share) {
  constexpr int kSteps = 8;
  const float inside = share > 0 ? std::min(share, 1.0F) : 0;  // what is no number counts as 0
  const int part = (static_cast<int>(inside * (2 * kSteps)) + 1) / 2;
  Colour mixed = 0;
  for (int shift = 16; shift >= 0; shift -= 8) {
    const auto a = static_cast<int>(from >> shift & 0xFF), b = static_cast<int>(to >> shift & 0xFF);
    mixed = mixed << 8 | static_cast<Colour>((a * (kSteps - part) + b * part + kSteps / 2) / kSteps);
  }
  return mixed;
}

class Panels {
 public:
  Panels(const Task& task, const Tokens& inputs, const std::vector<PictureFrame>& frames)
      : task_(task), info_(task.info()), inputs_(inputs), frames_(frames) {}

  [[nodiscard]] int width() const { return info_.cols * kCell + 2 * kMargin; }
  [[nodiscard]] int height() const { return info_.rows * kCell + 2 * kMargin + kCaption; }

  // Frame `index` with its top left corner at (left, top).
  void Draw(size_t index, int left, int top, Scene& scene) const {
    const PictureFrame& frame = frames_[index];
    for (int cell = 0; cell < task_.cells(); ++cell) {
      const int x = left + kMargin + cell % info_.cols * kCell, y = top + kMargin + cell / info_.cols * kCell;
      DrawCell(index, static_cast<size_t>(cell), x, y, scene);
    }
    for (int row = 0; row <= info_.rows; ++row) Line(left, top, row, false, scene);
    for (int col = 0; col <= info_.cols; ++col) Line(left, top, col, true, scene);
    const auto fits = static_cast<size_t>(width() / (kGlyphWidth + 2));
    if (!frame.caption.empty()) {
      scene.texts.push_back({left + width() / 2, top + height() - (kMargin + kCaption) / 2, 1, kInk, false,
                             frame.caption.substr(0, fits)});
    }
  }

 private:
  void DrawCell(size_t index, size_t cell, int x, int y, Scene& scene) const {
    const PictureFrame& frame = frames_[index];
    const Token token = frame.cells[cell];
    const bool coloured = !info_.colours.empty();
    const bool given = inputs_[cell] == token && (coloured || token > kBlank);
    const float sure = frame.confidence.empty() || given ? 1.0F : frame.confidence[cell];
    Colour ground = given ? kGivenGround : Mix(kUnsure, kPaper, sure);
    if (coloured) ground = Mix(kPaper, info_.colours[static_cast<size_t>(token)], sure);
    scene.marks.push_back({x, y, kCell, kCell, ground});
    if (index > 0 && !frame.fresh && frames_[index - 1].cells[cell] != token) {
      constexpr int kWide = 2;
      scene.marks.push_back({x + 1, y + 1, kCell - 1, kWide, kChanged});
      scene.marks.push_back({x + 1, y + kCell - kWide, kCell - 1, kWide, kChanged});
      scene.marks.push_back({x + 1, y + 1, kWide, kCell - 1, kChanged});
      scene.marks.push_back({x + kCell - kWide, y + 1, kWide, kCell - 1, kChanged});
    }
    if (!coloured && token > kBlank) {
      scene.texts.push_back({x + kCell / 2, y + kCell / 2, 2, given ? kInk : kAnswer, given,
                             std::string(1, info_.symbols[static_cast<size_t>(token)])});
    }
  }

  // The line before row or column `place`; those of boxes and the rim are wide.
  void Line(int left, int top, int place, bool down, Scene& scene) const {
    const int count = down ? info_.cols : info_.rows, box = down ? info_.box_cols : info_.box_rows;
    const bool wide = place == 0 || place == count || (box > 0 && place % box == 0);
    const int thick = wide ? 2 : 1, along = (down ? info_.rows : info_.cols) * kCell;
    const int x = left + kMargin + (down ? place * kCell - thick / 2 : 0);
    const int y = top + kMargin + (down ? 0 : place * kCell - thick / 2);
    scene.marks.push_back({x, y, down ? thick : along, down ? along : thick, wide ? kInk : kFine});
  }

  const Task& task_;
  const TaskInfo& info_;
  const Tokens& inputs_;
  const std::vector<PictureFrame>& frames_;
};

std::string Escaped(const std::string& text) {
  std::string out;
  for (const char c : text)
    out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : std::string(1, c >= ' ' && c <= '~' ? c : '?');
  return out;
}

std::string Hex(Colour colour) {
  std::string text = "#";
  for (int shift = 20; shift >= 0; shift -= 4) text += "0123456789abcdef"[colour >> shift & 15];
  return text;
}

std::string ToSvg(const Scene& scene) {
  const auto number = [](const char* name, int value) {
    return std::string(" ") + name + "=\"" + std::to_string(value) + "\"";
  };
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + std::to_string(scene.width) + " " +
                    std::to_string(scene.height) + "\"" + number("width", scene.width) +
                    number("height", scene.height) +
                    " font-family=\"monospace\" text-anchor=\"middle\" shape-rendering=\"crispEdges\">\n<rect" +
                    number("width", scene.width) + number("height", scene.height) + " fill=\"" + Hex(kPaper) + "\"/>\n";
  for (const Mark& mark : scene.marks) {
    svg += "<rect" + number("x", mark.x) + number("y", mark.y) + number("width", mark.width) +
           number("height", mark.height) + " fill=\"" + Hex(mark.colour) + "\"/>\n";
  }
  for (const Text& text : scene.texts) {
    const int size = text.dot == 1 ? 11 : 16;
    svg += "<text" + number("x", text.x) + number("y", text.y + size / 3) + number("font-size", size) + " fill=\"" +
           Hex(text.colour) + "\"" + (text.bold ? " font-weight=\"bold\"" : "") + ">" + Escaped(text.text) +
           "</text>\n";
  }
  return svg + "</svg>\n";
}

// The colours of the pictures made so far: place 0 is the paper.
class Palette {
 public:
  uint8_t Place(Colour colour) {
    const auto [found, fresh] = places_.try_emplace(colour, static_cast<uint8_t>(colours_.size()));
    if (fresh) colours_.push_back(colour);
    return found->second;
  }
  [[nodiscard]] const std::vector<uint32_t>& colours() const { return colours_; }

 private:
  std::map<Colour, uint8_t> places_{{kPaper, 0}};
  std::vector<uint32_t> colours_{kPaper};
};

IndexedImage ToPixels(const Scene& scene, Palette& palette) {
  IndexedImage image{scene.width, scene.height, {}};
  image.pixels.resize(static_cast<size_t>(scene.width) * static_cast<size_t>(scene.height));
  const auto fill = [&](int x, int y, int width, int height, uint8_t place) {
    for (int row = std::max(0, y); row < std::min(scene.height, y + height); ++row) {
      for (int col = std::max(0, x); col < std::min(scene.width, x + width); ++col) {
        image.pixels[static_cast<size_t>(row) * static_cast<size_t>(scene.width) + static_cast<size_t>(col)] = place;
      }
    }
  };
  for (const Mark& mark : scene.marks) fill(mark.x, mark.y, mark.width, mark.height, palette.Place(mark.colour));
  for (const Text& text : scene.texts) {
    const int step = (kGlyphWidth + 1) * text.dot;
    int left = text.x - (static_cast<int>(text.text.size()) * step - text.dot) / 2;
    for (const char character : text.text) {
      const Glyph& glyph = GlyphOf(character);
      for (int row = 0; row < kGlyphHeight; ++row) {
        for (int col = 0; col < kGlyphWidth; ++col) {
          if ((glyph[static_cast<size_t>(row)] >> (kGlyphWidth - 1 - col) & 1) == 0) continue;
          fill(left + col * text.dot, text.y + row * text.dot - kGlyphHeight * text.dot / 2, text.dot, text.dot,
               palette.Place(text.colour));
        }
      }
      left += step;
    }
  }
  return image;
}

}  // namespace

Result<PictureFormat> PictureFormatOf(const std::string& path) {
  if (path.ends_with(".svg")) return PictureFormat::kSvg;
  if (path.ends_with(".png")) return PictureFormat::kPng;
  if (path.ends_with(".gif")) return PictureFormat::kGif;
  return UsageError("no picture format has this ending", path, "name the file .svg, .png or .gif");
}

Result<std::string> DrawFrames(const Task& task, const Tokens& inputs, const std::vector<PictureFrame>& frames,
                               PictureFormat format) {
  constexpr size_t kMostFrames = 256;
  const auto cells = static_cast<size_t>(task.cells());
  bool fits = inputs.size() == cells && !frames.empty() && frames.size() <= kMostFrames;
  for (const PictureFrame& frame : frames) {
    fits &= frame.cells.size() == cells && (frame.confidence.empty() || frame.confidence.size() == cells);
    for (const Token token : frame.cells) fits &= token >= 0 && token < task.vocabulary();
  }
  if (!fits) {
    return UsageError("a picture takes 1 to " + std::to_string(kMostFrames) + " states of " + std::to_string(cells) +
                      " cells");
  }
  const Panels panels(task, inputs, frames);
  Palette palette;
  if (format == PictureFormat::kGif) {
    constexpr int kDelay = 40, kLastDelay = 200;  // hundredths of a second
    std::vector<IndexedImage> images;
    std::vector<int> delays(frames.size(), kDelay);
    delays.back() = kLastDelay;
    for (size_t index = 0; index < frames.size(); ++index) {
      Scene scene{panels.width(), panels.height(), {}, {}};
      panels.Draw(index, 0, 0, scene);
      images.push_back(ToPixels(scene, palette));
    }
    return EncodeGif(images, delays, palette.colours());
  }
  const auto count = static_cast<int>(frames.size());
  const int across = std::min(count, kPanelsAcross);
  Scene scene{across * panels.width(), (count + across - 1) / across * panels.height(), {}, {}};
  for (int index = 0; index < count; ++index) {
    panels.Draw(static_cast<size_t>(index), index % across * panels.width(), index / across * panels.height(), scene);
  }
  return format == PictureFormat::kSvg ? ToSvg(scene) : EncodePng(ToPixels(scene, palette), palette.colours());
}

}  // namespace pintle
