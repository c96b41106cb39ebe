#include "text/tokenizer.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "base/rng.h"
#include "formats/jsonl_zst.h"
#include "text/bpe_trainer.h"
#include "text/byte_alphabet.h"
#include "text/pretokenizer.h"

namespace pintle {
namespace {

constexpr char kData[] = PINTLE_SOURCE_DIR "/src/text/testdata/";

constexpr std::string_view kText =
    "/// The longest of two strings.\npub fn longest<'a>(x: &'a str, y: &'a str) -> &'a str {\n"
    "    if x.len() > y.len() {\n        x\n    } else {\n        y\n    }\n}\n\n#[test]\nfn takes_the_longer() {\n"
    "    assert_eq!(longest(\"ab\", \"abc\"), \"abc\");\n    assert_eq!(longest(\"\", \"\u00E9\"), \"\u00E9\");\n}\n";

// A small vocabulary of our own, trained on the text above.
Tokenizer Small(int64_t merged = 120) {
  PieceCounter counter;
  counter.AddText(kText);
  auto tokenizer = Tokenizer::FromMerges(TrainBpe(counter, {merged, 1, 64}), SpecialTokenNames());
  REQUIRE(tokenizer.ok());
  return *std::move(tokenizer);
}

Tokenizer Qwen2() {
  std::string merges, line;
  auto reader = JsonlZstReader::Open(std::string(kData) + "qwen2_merges.txt.zst");
  REQUIRE(reader.ok());
  while (*reader->Next(line)) merges += line + "\n";
  auto tokenizer = Tokenizer::FromMergesText(merges, {std::string(special::kEndOfText)}, "qwen2_merges.txt");
  REQUIRE(tokenizer.ok());
  return *std::move(tokenizer);
}

// BPE as it is defined: look at all pairs, merge the leftmost of the lowest rank, begin again.
std::vector<int32_t> Naive(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<int32_t> all;
  ForEachPiece(text, [&](size_t begin, size_t end) {
    std::vector<int32_t> ids;
    for (size_t i = begin; i < end; ++i) ids.push_back(tokenizer.ByteId(static_cast<uint8_t>(text[i])));
    while (true) {
      size_t best_rank = tokenizer.merges().size(), best_at = 0;
      for (size_t i = 0; i + 1 < ids.size(); ++i) {
        for (size_t rank = 0; rank < best_rank; ++rank) {
          const MergeRule& merge = tokenizer.merges()[rank];
          if (merge.left == ids[i] && merge.right == ids[i + 1]) best_rank = rank, best_at = i;
        }
      }
      if (best_rank == tokenizer.merges().size()) break;
      ids[best_at] = tokenizer.merges()[best_rank].result;
      ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best_at) + 1);
    }
    all.insert(all.end(), ids.begin(), ids.end());
  });
  return all;
}

std::string RandomText(uint64_t round) {
  RandomStream random(2, Purpose::kTest, round);
  std::string text;
  const uint32_t kind = random.NextBelow(3);
  for (uint32_t n = random.NextBelow(200); n > 0; --n) {
    if (kind == 0) {  // any bytes
      text += static_cast<char>(random.NextBelow(256));
    } else if (kind == 1) {  // long runs of few letters: long pieces with many equal pairs
      text += "aestr "[random.NextBelow(100) < 99 ? random.NextBelow(5) : 5];
    } else {  // snippets of the training text
      text += kText.substr(random.NextBelow(static_cast<uint32_t>(kText.size())), 1 + random.NextBelow(9));
    }
  }
  return text;
}

TEST_CASE("the vocabulary of Qwen2 gives the ids of its published cases") {
  const Tokenizer tokenizer = Qwen2();
  CHECK(tokenizer.vocab_size() == 151644);
  Encoder encoder(tokenizer);
  const auto file = ReadFile(std::string(kData) + "qwen2.cases.json");
  REQUIRE(file.ok());
  const auto cases = ParseJson(*file, "qwen2.cases.json");
  REQUIRE(cases.ok());
  CHECK(cases->as_array().size() == 23);
  for (const auto& one : cases->as_array()) {
    const std::string text(one.at("text").as_string());
    std::vector<int32_t> expected, cached;
    for (const auto& id : one.at("ids").as_array()) expected.push_back(static_cast<int32_t>(id.as_int64()));
    CHECK_MESSAGE(tokenizer.Encode(text) == expected, "case ", one.at("case").as_int64());
    encoder.Encode(text, cached);
    CHECK(cached == expected);
    CHECK(tokenizer.Decode(expected) == text);
  }
}

TEST_CASE("short, long and cached encoding equal the definition of BPE, and decode to the same bytes") {
  const Tokenizer tokenizer = Small();
  Encoder encoder(tokenizer);
  for (uint64_t round = 0; round < 300; ++round) {
    const std::string text = RandomText(round);
    const std::vector<int32_t> ids = tokenizer.Encode(text);
    REQUIRE(ids == Naive(tokenizer, text));
    for (int again = 0; again < 2; ++again) {
      std::vector<int32_t> cached{7};
      encoder.Encode(text, cached);
      cached.erase(cached.begin());
      REQUIRE(cached == ids);
    }
    REQUIRE(tokenizer.Decode(ids) == text);
  }
}

TEST_CASE("more pieces than the cache holds do not change the ids") {
  const Tokenizer tokenizer = Small();
  Encoder encoder(tokenizer);
  std::string text;
  for (uint32_t i = 0; i < 120000; ++i) {
    const auto words = RandomBlock(3, Purpose::kTest, 0, i);
    for (uint32_t n = 0; n < 1 + words[1] % 9; ++n) text += static_cast<char>('a' + (words[0] >> n * 3) % 26);
    text += ' ';
  }
  std::vector<int32_t> cached;
  encoder.Encode(text, cached);
  CHECK(cached == tokenizer.Encode(text));
}

TEST_CASE("a long piece costs about its length") {
  // (a, a), (aa, aa), ..: every merge applies everywhere. A quadratic method would not end.
  std::vector<std::pair<int32_t, int32_t>> merges{{'a', 'a'}};
  for (int32_t id = 256; id < 264; ++id) merges.emplace_back(id, id);
  const auto tokenizer = Tokenizer::FromMerges(merges, {});
  REQUIRE(tokenizer.ok());
  const std::vector<int32_t> ids = tokenizer->Encode(std::string(2'000'003, 'a'));
  CHECK(ids.size() == 2'000'000 / 512 + 3);  // 3906 of 512, then 128 + 2 + 1
  CHECK(ids.back() == 'a');
  CHECK(tokenizer->Decode(ids) == std::string(2'000'003, 'a'));
}

TEST_CASE("text never gives special tokens, trusted text does") {
  const Tokenizer tokenizer = Small();
  const std::string text = "a<|fim_prefix|>b<|endoftext|><|nothing|>";
  for (const int32_t id : tokenizer.Encode(text)) CHECK_FALSE(tokenizer.IsSpecial(id));
  const std::vector<int32_t> ids = tokenizer.EncodeWithSpecials(text);
  CHECK(ids[1] == tokenizer.SpecialId(special::kFimPrefix));
  CHECK(ids[3] == tokenizer.end_of_text());
  CHECK(tokenizer.Decode(ids) == text);
  CHECK(tokenizer.Decode(ids, true) == "ab<|nothing|>");
  CHECK(tokenizer.SpecialId("<|nothing|>") == -1);
}

TEST_CASE("the special tokens are the last ids") {
  const Tokenizer tokenizer = Small(60);
  CHECK(tokenizer.vocab_size() == 256 + 60 + special::kCount);
  CHECK(tokenizer.end_of_text() == 316);
  CHECK(tokenizer.specials().back() == std::pair<int32_t, std::string>(347, "<|reserved_20|>"));
  for (int32_t id = 0; id < tokenizer.vocab_size(); ++id) CHECK(tokenizer.IsSpecial(id) == (id >= 316));
}

TEST_CASE("tokenizer.json comes back as the same tokenizer with the same bytes") {
  const Tokenizer tokenizer = Small();
  const std::string json = tokenizer.ToJson();
  const auto again = Tokenizer::FromJson(json, "tokenizer.json");
  REQUIRE_MESSAGE(again.ok(), again.error().Message());
  CHECK(again->ToJson() == json);
  CHECK(again->hash() == tokenizer.hash());
  CHECK(again->Encode(kText) == tokenizer.Encode(kText));
}

std::string Replace(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  REQUIRE(at != text.npos);
  return text.replace(at, from.size(), to);
}

TEST_CASE("a tokenizer.json that we would not follow is refused by name") {
  const std::string json = Small(20).ToJson();
  const auto message = [](const std::string& text) {
    const auto result = Tokenizer::FromJson(text, "t.json");
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == Code::kValidation);
    return result.error().what;
  };
  CHECK(message(Replace(json, "\"normalizer\": null", "\"normalizer\": {\"type\": \"NFC\"}")) ==
        "a normalizer is set; text would not come back exactly");
  CHECK(message(Replace(json, "(?i:'s|", "(?i:'z|")) ==
        "pre_tokenizer is not Qwen2's (Split by its pattern, then ByteLevel)");
  CHECK(message(Replace(json, "\"BPE\"", "\"Unigram\"")) == "model is not of type BPE");
  CHECK(message(Replace(json, "\"byte_fallback\": false", "\"byte_fallback\": true")) ==
        "model.byte_fallback is not supported");
  CHECK(message(Replace(json, "\"!\": 33", "\"!\": 34")) == "two tokens have the id 34");
  CHECK(message(Replace(json, "\"!\": 33", "\"!\": -1")) == "token \"!\" has no valid id");
  CHECK(message(Replace(json, "\"!\": 33", "\"!\": 9999")) == "ids are not dense: id 9999 among 308 tokens");
  CHECK(message(Replace(json, "\"!\": 33", "\"!!\": 33")) ==
        "not every byte is a token, so not every text could be encoded");
  CHECK(message(Replace(json, "\"id\": 277", "\"id\": 276")) == "added token 276 is given twice");
  CHECK(message(Replace(json, "\"merges\": [", "\"merges\": [[\"a\", \" \"],")) == "merge 0 is malformed");
  CHECK(message(Replace(json, "\"merges\": [", "\"merges\": [\"~ ~\",")) ==
        "merge 0 names a token that is not in the vocabulary");
  CHECK(message("{}") == "pre_tokenizer is not Qwen2's (Split by its pattern, then ByteLevel)");
  CHECK_FALSE(Tokenizer::FromJson(json.substr(0, json.size() / 2), "t.json").ok());
}

TEST_CASE("merges that use later tokens are refused") {
  CHECK(Tokenizer::FromMerges({{256, 97}}, {}).error().what == "merge 0 uses a token that is not made yet");
  CHECK(Tokenizer::FromMergesText("a b\nab q\nz zz\n", {}, "m.txt").error().Message() ==
        "m.txt:3: not a merge of two earlier tokens into a new one");
}

TEST_CASE("the byte alphabet is GPT-2's") {
  CHECK(PrintableCodepoint(' ') == 0x120);
  CHECK(PrintableCodepoint('\n') == 0x10A);
  CHECK(PrintableCodepoint(0xAD) == 0x143);
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  CHECK(FromPrintable(ToPrintable(bytes)) == bytes);
  CHECK_FALSE(FromPrintable(" ").has_value());
  CHECK_FALSE(FromPrintable("\xC4").has_value());
  CHECK_FALSE(FromPrintable("\u0144").has_value());
}

TEST_CASE("the streaming decoder gives whole characters") {
  const Tokenizer tokenizer = Small(0);
  const std::string text = "\u00E9\u20AC\U0001F980x\xFFy\xE2\x82";
  StreamDecoder decoder(tokenizer);
  std::vector<std::string> parts;
  for (const int32_t id : tokenizer.Encode(text)) {
    if (std::string part = decoder.Push(id); !part.empty()) parts.push_back(part);
  }
  CHECK(parts == std::vector<std::string>{"\u00E9", "\u20AC", "\U0001F980", "x", "\xFF", "y"});
  CHECK(decoder.Push(tokenizer.end_of_text()).empty());
  CHECK(decoder.Finish() == "\xE2\x82");
}

}  // namespace
}  // namespace pintle
