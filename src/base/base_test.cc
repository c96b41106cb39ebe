// The base library: results, config, files, hashes, JSON, random numbers, threads.
#include <doctest/doctest.h>

#include <atomic>
#include <boost/json.hpp>
#include <filesystem>
#include <numeric>
#include <vector>

#include "base/config.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "base/log_file.h"
#include "base/rng.h"
#include "base/thread_pool.h"
#include "base/time.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

Result<int> Half(int value) {
  if (value % 2 != 0) return ValidationError("odd", "value");
  return value / 2;
}

Result<int> Quarter(int value) {
  PINTLE_ASSIGN(const int half, Half(value));
  PINTLE_ASSIGN(const int quarter, Half(half));
  return quarter;
}

TEST_CASE("an error travels through PINTLE_ASSIGN with its code and place") {
  CHECK(*Quarter(12) == 3);
  const auto failed = Quarter(6);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code == Code::kValidation);
  CHECK(failed.error().Message() == "value: odd");
}

TEST_CASE("Philox4x32-10 gives the published vectors") {
  CHECK(Philox4x32({0, 0, 0, 0}, {0, 0}) ==
        std::array<uint32_t, 4>{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u});
  CHECK(Philox4x32({0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu}, {0xffffffffu, 0xffffffffu}) ==
        std::array<uint32_t, 4>{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu});
  CHECK(Philox4x32({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, {0xa4093822u, 0x299f31d0u}) ==
        std::array<uint32_t, 4>{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u});
}

TEST_CASE("a random stream is the sequence of its blocks and stays in range") {
  RandomStream stream(7, Purpose::kTest, 3);
  for (uint32_t block = 0; block < 3; ++block) {
    for (const uint32_t word : RandomBlock(7, Purpose::kTest, 3, block)) CHECK(stream.Next() == word);
  }
  for (int i = 0; i < 1000; ++i) {
    const float value = stream.NextFloat();
    CHECK(value >= 0.0f);
    CHECK(value < 1.0f);
    CHECK(stream.NextBelow(10) < 10);
  }
}

TEST_CASE("SHA-256 of the standard's example, of pieces and of a file") {
  const std::string expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  CHECK(Sha256Hex("abc") == expected);
  Sha256 pieces;
  pieces.Update("a");
  pieces.Update("bc");
  CHECK(ToHex(pieces.Finish()) == expected);
  const TemporaryFolder folder;
  REQUIRE(WriteFileAtomic(folder.path() / "x", "abc").ok());
  CHECK(*Sha256HexOfFile(folder.path() / "x") == expected);
  CHECK_FALSE(Sha256HexOfFile(folder.path() / "missing").ok());
}

TEST_CASE("files: atomic write, read with a limit, append, map, replace a folder") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  REQUIRE(WriteFileAtomic(path, "one").ok());
  REQUIRE(WriteFileAtomic(path, "two").ok());
  CHECK(*ReadFile(path) == "two");
  CHECK_FALSE(ReadFile(path, 2).ok());
  {
    auto file = File::OpenAppend(path);
    REQUIRE(file.ok());
    CHECK(file->Write(" three").ok());
    CHECK(file->Close().ok());
  }
  CHECK(MappedFile::Open(path)->bytes() == "two three");
  char four[4];
  CHECK(File::OpenRead(path)->ReadAt(four, 4, 5).ok());
  CHECK(std::string(four, 4) == "hree");
  CHECK_FALSE(File::OpenRead(path)->ReadAt(four, 4, 6).ok());
  CHECK_FALSE(ReadFile(folder.path()).ok());

  REQUIRE(MakeFolder(folder.path() / "old").ok());
  REQUIRE(WriteFileAtomic(folder.path() / "old" / "a", "old").ok());
  REQUIRE(MakeFolder(folder.path() / "new").ok());
  REQUIRE(WriteFileAtomic(folder.path() / "new" / "a", "new").ok());
  REQUIRE(ReplaceFolder(folder.path() / "new", folder.path() / "old").ok());
  CHECK(*ReadFile(folder.path() / "old" / "a") == "new");
  CHECK_FALSE(fs::exists(folder.path() / "new"));
}

TEST_CASE("a full disk is an error with a hint and leaves the old file") {
  const Status status = WriteFileAtomic("/dev/full/x", "data");
  CHECK_FALSE(status.ok());
  auto full = File::OpenAppend("/dev/full");
  REQUIRE(full.ok());
  const Status write = full->Write("data");
  REQUIRE_FALSE(write.ok());
  CHECK(write.error().code == Code::kRuntime);
  CHECK(write.error().what.find("No space left") != std::string::npos);
  CHECK(write.error().hint.find("free some space") != std::string::npos);
}

TEST_CASE("JSON is written the same way every time and reads back") {
  const auto value = ParseJson(R"({"b":[1,2.5,-0.0,1e300,true,null],"a":"x\n\u0001é"})", "test");
  REQUIRE(value.ok());
  CHECK(DumpJson(*value) == "{\"b\":[1,2.5,-0,1e+300,true,null],\"a\":\"x\\n\\u0001é\"}");
  CHECK(DumpJson(boost::json::object{{"k", boost::json::array{1}}}, 1) == "{\n \"k\": [\n  1\n ]\n}");
  CHECK(*JsonString(*value, "a", "t") == "x\n\001é");
  CHECK_FALSE(JsonInt(*value, "a", "t").ok());
  CHECK_FALSE(ParseJson("{", "test").ok());
  CHECK_FALSE(ParseJson(std::string(100, '['), "test").ok());
}

struct TestConfig {
  int64_t lines = 100;
  double rate = 0.5;
  bool deep = false;
  std::string mode = "fast";
  std::vector<std::string> names{"a"};
  void Visit(ConfigVisitor& v) {
    v.Int("lines", lines, 1, 1000, "how many lines");
    v.Section("inner");
    v.Double("rate", rate, 0, 1, "a share");
    v.Bool("deep", deep, "go deep");
    v.String("mode", mode, {"fast", "slow"}, "how");
    v.Strings("names", names, "who");
  }
  ConfigFields fields() {
    return [this](ConfigVisitor& v) { Visit(v); };
  }
};

TEST_CASE("a config loads, prints, hashes, and names what is wrong with line and suggestion") {
  TestConfig config;
  REQUIRE(LoadConfig("lines = 7\n[inner]\nrate = 1\nnames = [\"x\", \"y\"]\n", "t.toml", config.fields()).ok());
  CHECK(config.lines == 7);
  CHECK(config.rate == 1.0);
  CHECK(config.names.size() == 2);
  TestConfig copy;
  REQUIRE(LoadConfig(DumpConfig(config.fields()), "dump", copy.fields()).ok());
  CHECK(ConfigHash(copy.fields()) == ConfigHash(config.fields()));
  CHECK(ConfigHash(TestConfig().fields()) != ConfigHash(config.fields()));

  const auto message = [](const char* text) {
    TestConfig fresh;
    const Status status = LoadConfig(text, "t.toml", fresh.fields());
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == Code::kConfig);
    return status.error().Message() + " | " + status.error().hint;
  };
  CHECK(message("\nlinse = 7\n") == "t.toml:2: unknown key 'linse' | did you mean 'lines'?");
  CHECK(message("lines = 7000\n") == "t.toml:1: lines: 7000 is not within 1 to 1000 | ");
  CHECK(message("lines = \"7\"\n") == "t.toml:1: lines: an integer is needed | ");
  CHECK(message("[inner]\nmode = \"medium\"\n") == "t.toml:2: inner.mode: 'medium' is not one of fast, slow | ");
  CHECK(message("lines = \n").find("t.toml:1: ") == 0);
  for (const char* header : {"[/x]", "[[.x]]", "[ =]", "[", "\xef\xbb\xbf[/x]", "\xc2\xa0[/x]", "  [\xc3\xa9]"}) {
    CHECK(message((std::string("lines = 3\n") + header).c_str()).find("t.toml:2: ") == 0);
  }
  CHECK(message("lines = 3\nn\xc3\xa9 = 1") == "t.toml:2: a letter beyond ASCII outside of quotes | ");
  CHECK(message("# \xc3\xa9\nlines = 3\n[inner]\nmode = \"\"\"\n[/x\n\xc3\xa9\"\"\"\n").find("t.toml:4: inner.mode") ==
        0);
  CHECK(message("lines = ,\n").find("t.toml") == 0);
  CHECK_FALSE(SetConfigValue("lines=,", "--set", copy.fields()).ok());
  CHECK_FALSE(SetConfigValue("[/x]=3", "--set", copy.fields()).ok());
  CHECK(SetConfigValue("inner.mode=slow", "--set", copy.fields()).ok());
  CHECK(copy.mode == "slow");
  copy.names = {"a\r\n\t\x1f\""};
  TestConfig again;
  REQUIRE(LoadConfig(DumpConfig(copy.fields()), "t", again.fields()).ok());
  CHECK(again.names == copy.names);
  CHECK(LoadConfig("lines = 3\n[other]\nx = 1\n", "t", copy.fields(), {"other"}).ok());
}

TEST_CASE("a local file is laid over the shared one") {
  const TemporaryFolder folder;
  REQUIRE(WriteFileAtomic(folder.path() / "c.toml", "lines = 3\n[inner]\nrate = 0.25\n").ok());
  REQUIRE(WriteFileAtomic(folder.path() / "c.local.toml", "lines = 4\n").ok());
  TestConfig config;
  REQUIRE(LoadConfigFile(folder.path() / "c.toml", config.fields()).ok());
  CHECK(config.lines == 4);
  CHECK(config.rate == 0.25);
  const Status missing = LoadConfigFile(folder.path() / "none.toml", config.fields());
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == Code::kConfig);
}

TEST_CASE("every item runs exactly once for any number of threads") {
  for (const int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    for (const int64_t count : {0, 1, 2, 100, 1000}) {
      std::vector<std::atomic<int>> hits(static_cast<size_t>(count));
      std::atomic<bool> thread_in_range{true};
      pool.ParallelForWithThread(count, [&](int64_t i, int thread) {
        ++hits[static_cast<size_t>(i)];
        if (thread < 0 || thread >= threads) thread_in_range = false;
      });
      CHECK(std::all_of(hits.begin(), hits.end(), [](const auto& hit) { return hit == 1; }));
      CHECK(thread_in_range);
    }
  }
  CHECK(DefaultThreads() >= 1);
}

TEST_CASE("many tiny sections on more threads than processors end soon and right") {
  ThreadPool pool(8);
  std::atomic<int64_t> sum{0};
  for (int round = 0; round < 5000; ++round) {
    pool.ParallelFor(3, [&](int64_t i) { sum += i; });
  }
  CHECK(sum == 15000);
}

TEST_CASE("durations and sizes read like a person writes them") {
  CHECK(HumanDuration(3.25) == "3.2 s");
  CHECK(HumanDuration(75) == "1 min 15 s");
  CHECK(HumanDuration(3720) == "1 h 02 min");
  CHECK(HumanBytes(83'000'000) == "83.0 MB");
  CHECK(PeakResidentBytes() > 0);
  CHECK(ResidentBytes() > 0);
}

TEST_CASE("log lines as JSON: one schema, errors with three more members; files turn over when they are full") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "pintle.log";
  REQUIRE(SetLogFile(path, 4096).ok());
  SetLogLevel(LogLevel::kError);
  LogInfo("test", "too quiet to be written");
  Log(LogLevel::kError, "test", "a \"quoted\" word, a tab\t and an \xff");
  PrintError(ConfigError("no such key", "a.toml:3", "did you mean 'b'?"));
  const auto lines = [](const std::filesystem::path& file) {
    std::vector<boost::json::value> values;
    const std::string text = ReadFile(file).value();
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = text.find('\n', begin);
      REQUIRE(end != std::string::npos);
      const auto value = ParseJson(text.substr(begin, end - begin), file.string());
      REQUIRE_MESSAGE(value.ok(), text.substr(begin, end - begin));
      values.push_back(*value);
      begin = end + 1;
    }
    return values;
  };
  const auto written = lines(path);
  REQUIRE(written.size() == 2);
  for (const auto& line : written) {
    const std::string time = JsonString(line, "ts", "").value();
    CHECK(time.size() == 20);
    CHECK(time.back() == 'Z');
    CHECK(JsonString(line, "level", "").value() == "error");
  }
  CHECK(written[0].as_object().size() == 4);
  CHECK(JsonString(written[0], "module", "").value() == "test");
  CHECK(JsonString(written[0], "msg", "").value().starts_with("a \"quoted\" word, a tab\t and an "));
  CHECK(written[1].as_object().size() == 7);
  CHECK(JsonString(written[1], "msg", "").value() == "no such key");
  CHECK(JsonInt(written[1], "code", "").value() == 2);
  CHECK(JsonString(written[1], "where", "").value() == "a.toml:3");
  CHECK(JsonString(written[1], "hint", "").value() == "did you mean 'b'?");

  std::vector<size_t> counts;
  for (int i = 0; i < 100; ++i)
    Log(LogLevel::kError, "test", "line " + std::to_string(1000 + i) + std::string(60, '.'));
  for (const char* name : {"pintle.log", "pintle.log.1", "pintle.log.2"}) {
    const auto turned = lines(folder.path() / name);
    CHECK(std::filesystem::file_size(folder.path() / name) <= 4096);
    counts.push_back(turned.size());
  }
  CHECK(counts[0] + counts[1] + counts[2] < 102);  // the oldest went
  CHECK(counts[1] == counts[2]);
  CHECK(JsonString(lines(path).back(), "msg", "").value().starts_with("line 1099"));
  CHECK_FALSE(SetLogFile(folder.path() / "none" / "x.log").ok());
  REQUIRE(SetLogFile("").ok());
  SetLogLevel(LogLevel::kInfo);
}

TEST_CASE("quoted text is UTF-8 whatever it was made from") {
  const auto back = [](const std::string& text) {
    const auto value = ParseJson(JsonQuote(text), "");
    REQUIRE_MESSAGE(value.ok(), text);
    return std::string(value->as_string());
  };
  for (const char* whole : {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\xa6\x80", "\xed\x9f\xbf", "\xef\xbf\xbf"}) {
    CHECK(back(whole) == whole);
  }
  const std::string other = "\xef\xbf\xbd";
  CHECK(back("a\xff") == "a" + other);
  CHECK(back("\xc0\xaf") == other + other);              // over-long
  CHECK(back("\xed\xa0\x80") == other + other + other);  // a surrogate
  CHECK(back("\xf4\x90\x80\x80z") == other + other + other + other + "z");
  CHECK(back("\xe2\x82") == other + other);  // cut off
  CHECK(back("\x80") == other);
}

TEST_CASE("interrupts and log levels") {
  SetInterrupted(true);
  CHECK(Interrupted());
  SetInterrupted(false);
  CHECK_FALSE(Interrupted());
  CHECK(*ParseLogLevel("warning") == LogLevel::kWarning);
  CHECK_FALSE(ParseLogLevel("loud").ok());
  CHECK(NearestWord("flter", {"crawl", "filter"}) == "filter");
  CHECK(NearestWord("zzzzzz", {"crawl", "filter"}).empty());
}

}  // namespace
}  // namespace pintle
