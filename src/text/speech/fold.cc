#include "text/speech/fold.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "text/pretokenizer.h"
#include "text/unicode_tables.h"

namespace pintle {
namespace {

// U+00C0 to U+017F without their marks.
constexpr std::string_view kLatin =
    "A A A A A A AE C E E E E I I I I D N O O O O O x O U U U U Y Th ss a a a a a a ae c e e e e i i i i d n o o o o o "
    "/ "
    "o u u u u y th y "
    "A a A a A a C c C c C c C c D d D d E e E e E e E e E e G g G g G g G g H h H h I i I i I i I i I i IJ ij J j K k "
    "k "
    "L l L l L l L l L l N n N n N n n N n O o O o O o OE oe R r R r R r S s S s S s S s T t T t T t U u U u U u U u U "
    "u "
    "U u W w Y y Y Z z Z z Z z s";
constexpr uint32_t kLatinFirst = 0xC0, kLatinLast = 0x17F;

struct Sign {
  uint32_t code;
  std::string_view spoken;
};
// In order of their codes.
constexpr Sign kSigns[] = {
    {0xA2, " cents "},
    {0xA3, "GBP"},
    {0xA5, "JPY"},
    {0xA7, " section "},
    {0xAB, "\""},
    {0xAD, ""},
    {0xB0, "deg"},
    {0xB1, " plus or minus "},
    {0xB2, "^2"},
    {0xB3, "^3"},
    {0xB5, "u"},
    {0xBB, "\""},
    {0xBC, " 1/4"},
    {0xBD, " 1/2"},
    {0xBE, " 3/4"},
    {0xD7, " times "},
    {0xF7, " divided by "},
    {0x2BC, "'"},
    {0x3BC, "u"},
    {0x3C0, " pi "},
    {0x1E9E, "SS"},
    {0x2010, "-"},
    {0x2011, "-"},
    {0x2012, "-"},
    {0x2013, "-"},
    {0x2014, " - "},
    {0x2015, " - "},
    {0x2018, "'"},
    {0x2019, "'"},
    {0x201B, "'"},
    {0x201C, "\""},
    {0x201D, "\""},
    {0x201E, "\""},
    {0x2022, ", "},
    {0x2026, "..."},
    {0x2028, "\n"},
    {0x2029, "\n\n"},
    {0x2032, "'"},
    {0x2044, "/"},
    {0x20AC, "EUR"},
    {0x20B9, "INR"},
    {0x2116, "No. "},
    {0x2153, " 1/3"},
    {0x2154, " 2/3"},
    {0x2192, " to "},
    {0x2212, "-"},
    {0x221E, " infinity "},
    {0x2248, " approximately "},
    {0x2260, " not equal to "},
    {0x2264, " less than or equal to "},
    {0x2265, " greater than or equal to "},
    {0x3001, ", "},
    {0x3002, ". "},
};

// Marks that change the character before them, and joiners: nothing is put in their place.
bool IsInvisible(uint32_t code) {
  return (code >= 0x300 && code <= 0x36F) || (code >= 0x200B && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2060 && code <= 0x2064) || (code >= 0xFE00 && code <= 0xFE0F) || code == 0xFEFF;
}

bool Contains(const CodepointRange* ranges, size_t count, uint32_t code) {
  const CodepointRange* end = ranges + count;
  const CodepointRange* found =
      std::lower_bound(ranges, end, code, [](const CodepointRange& range, uint32_t c) { return range.last < c; });
  return found != end && found->first <= code;
}

// The character of `length` bytes, which are valid.
uint32_t Decode(std::string_view bytes) {
  static constexpr uint8_t kFirstBits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  uint32_t code = static_cast<uint8_t>(bytes[0]) & kFirstBits[bytes.size()];
  for (const char c : bytes.substr(1)) code = code << 6 | (static_cast<uint8_t>(c) & 0x3F);
  return code;
}

const std::vector<std::string_view>& LatinTable() {
  static const std::vector<std::string_view> table = [] {
    std::vector<std::string_view> words;
    for (size_t begin = 0; begin < kLatin.size();) {
      const size_t end = std::min(kLatin.find(' ', begin), kLatin.size());
      words.push_back(kLatin.substr(begin, end - begin));
      begin = end + 1;
    }
    return words;
  }();
  return table;
}

void FoldOne(uint32_t code, FoldedText& out) {
  if (code < 0x80) {
    const bool kept = (code >= 0x20 && code < 0x7F) || code == '\n';
    out.text += kept ? static_cast<char>(code) : ' ';
    return;
  }
  const auto* sign = std::lower_bound(std::begin(kSigns), std::end(kSigns), code,
                                      [](const Sign& a, uint32_t b) { return a.code < b; });
  if (sign != std::end(kSigns) && sign->code == code) {
    out.text += sign->spoken;
  } else if (code >= kLatinFirst && code <= kLatinLast) {
    out.text += LatinTable()[code - kLatinFirst];
  } else if (code >= 0xFF01 && code <= 0xFF5E) {  // full-width forms
    out.text += static_cast<char>(code - 0xFF01 + '!');
  } else if (!IsInvisible(code)) {
    out.text += ' ';
    if (Contains(kLetterRanges, kLetterRangesCount, code) || Contains(kNumberRanges, kNumberRangesCount, code)) {
      out.dropped++;
    }
  }
}

}  // namespace

FoldedText FoldToAscii(std::string_view text) {
  FoldedText out;
  out.text.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8CharacterLength(text, at);
    if (length == 0) {
      out.text += ' ';
      out.dropped++;
      at++;
      continue;
    }
    FoldOne(Decode(text.substr(at, length)), out);
    at += length;
  }
  return out;
}

}  // namespace pintle
