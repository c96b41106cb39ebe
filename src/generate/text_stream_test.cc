#include "generate/text_stream.h"

#include <doctest/doctest.h>

#include "base/rng.h"

namespace pintle {
namespace {

TEST_CASE("text stream: characters come out whole, however their bytes arrive") {
  TextStream stream({});
  CHECK(stream.Push("a\xc3") == "a");
  CHECK(stream.Push("\xa4") == "\xc3\xa4");
  CHECK(stream.Push("\xf0\x9f\xa6").empty());
  CHECK(stream.Push("\x80!") == "\xf0\x9f\xa6\x80!");
  CHECK(stream.Push("\xe2\x82").empty());
  CHECK(stream.Finish().empty());
}

TEST_CASE("text stream: damaged bytes become U+FFFD") {
  const std::string mark = "\xef\xbf\xbd";
  const auto clean = [](std::string bytes) {
    std::string text;
    TakeWholeUtf8(bytes, text);
    return text + "|" + bytes;
  };
  CHECK(clean("\xff") == mark + "|");
  CHECK(clean("\x80x") == mark + "x|");
  CHECK(clean("\xc0\xaf") == mark + mark + "|");
  CHECK(clean("\xe0\x80\x80") == mark + mark + mark + "|");
  CHECK(clean("\xed\xa0\x80") == mark + mark + mark + "|");
  CHECK(clean("\xf4\x90\x80\x80") == mark + mark + mark + mark + "|");
  CHECK(clean("\xe2\x82z") == mark + "z|");
  CHECK(clean("\xf4\x8f\xbf\xbf") == "\xf4\x8f\xbf\xbf|");
  CHECK(clean("\xe2\x82") == "|\xe2\x82");
}

TEST_CASE("text stream: the text ends before the first stop text, across pieces") {
  TextStream stream({"\n}", "END"});
  CHECK(stream.Push("ab\n") == "ab");
  CHECK(stream.Push("c") == "\nc");
  CHECK(stream.Push("E") == "");
  CHECK(stream.Push("N") == "");
  CHECK(stream.Push("x\n") == "ENx");
  CHECK(!stream.stopped());
  CHECK(stream.Push("}more") == "");
  CHECK(stream.stopped());
  CHECK(stream.Push("more").empty());
  CHECK(stream.Finish().empty());
  TextStream unfinished({"stop"});
  CHECK(unfinished.Push("sto") == "");
  CHECK(unfinished.Finish() == "sto");
}

TEST_CASE("text stream: any cutting of the same bytes gives the same text") {
  RandomStream random(3, Purpose::kTest, 1);
  for (int round = 0; round < 300; ++round) {
    std::string bytes;
    for (uint32_t i = random.NextBelow(40); i > 0; --i) {
      bytes += std::string("ab\xc3\xa4\xe2\x82\xac\xff\n")[random.NextBelow(9)];
    }
    TextStream whole({"ab\n", "b\xc3\xa4"});
    std::string expected = whole.Push(bytes);
    expected += whole.Finish();
    TextStream pieces({"ab\n", "b\xc3\xa4"});
    std::string text;
    for (size_t at = 0; at < bytes.size();) {
      const size_t size = 1 + random.NextBelow(4);
      text += pieces.Push(std::string_view(bytes).substr(at, size));
      at += size;
    }
    text += pieces.Finish();
    CHECK(text == expected);
  }
}

}  // namespace
}  // namespace pintle
