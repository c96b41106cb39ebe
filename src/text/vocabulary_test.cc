#include "text/vocabulary.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "base/json.h"
#include "text/chat_template.h"
#include "text/pretokenizer.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

fs::path Foreign() { return fs::path(PINTLE_SOURCE_DIR) / "src/text/testdata/foreign"; }

struct Case {
  std::string text;
  std::vector<int32_t> ids;
};

std::vector<Case> Cases(const fs::path& path) {
  const auto root = ParseJson(ReadFile(path).value(), "cases");
  REQUIRE(root.ok());
  std::vector<Case> cases;
  for (const auto& entry : root->as_array()) {
    Case& one = cases.emplace_back();
    one.text = std::string(entry.at("text").as_string());
    for (const auto& id : entry.at("ids").as_array()) one.ids.push_back(static_cast<int32_t>(id.as_int64()));
  }
  REQUIRE(!cases.empty());
  return cases;
}

// A header as a converter would write it, from vocab.json and merges.txt.
GgufHeader HeaderOf(const fs::path& vocab, const fs::path& merges, const std::string& pre,
                    const std::vector<std::string>& specials) {
  const auto root = ParseJson(ReadFile(vocab).value(), "vocab");
  REQUIRE(root.ok());
  std::vector<std::string> tokens(root->as_object().size()), rules;
  for (const auto& [token, id] : root->as_object()) tokens.at(static_cast<size_t>(id.as_int64())) = std::string(token);
  const std::string text = ReadFile(merges).value();
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    if (!line.empty() && !line.starts_with("#version")) rules.push_back(line);
    at = end + 1;
  }
  std::vector<int64_t> types(tokens.size(), 1);
  for (const std::string& special : specials) {
    tokens.push_back(special);
    types.push_back(3);
  }
  GgufHeader header;
  header.metadata = {{"tokenizer.ggml.model", GgufValue::String("gpt2")},
                     {"tokenizer.ggml.pre", GgufValue::String(pre)},
                     {"tokenizer.ggml.tokens", GgufValue::Strings(std::move(tokens))},
                     {"tokenizer.ggml.token_type", GgufValue::I32s(std::move(types))},
                     {"tokenizer.ggml.merges", GgufValue::Strings(std::move(rules))}};
  return header;
}

void CheckCases(const GgufHeader& header, const fs::path& cases) {
  const auto vocabulary = Vocabulary::FromGguf(header, "test");
  if (!vocabulary.ok()) FAIL(vocabulary.error().Message());
  for (const Case& one : Cases(cases)) {
    CAPTURE(one.text);
    std::vector<int32_t> ids;
    (*vocabulary)->Encode(one.text, ids);
    CHECK(ids == one.ids);
    std::string text;
    for (const int32_t id : ids) text += (*vocabulary)->Bytes(id);
    if ((*vocabulary)->kind() == "llama" && !text.empty()) text.erase(0, 1);
    CHECK(text == one.text);
  }
}

// A header as a converter would write it, from a SentencePiece model: field 1 of the message is a piece with its text
// (1), score (2) and type (3), whose numbers GGUF took over.
GgufHeader HeaderOfSpm(const fs::path& path) {
  const std::string bytes = ReadFile(path).value();
  size_t at = 0;
  const auto varint = [&] {
    uint64_t value = 0;
    for (int shift = 0; at < bytes.size(); shift += 7) {
      const auto byte = static_cast<uint8_t>(bytes[at++]);
      value |= uint64_t{byte & 127u} << shift;
      if (byte < 128) break;
    }
    return value;
  };
  std::vector<std::string> tokens;
  std::vector<int64_t> types;
  GgufValue scores{GgufKind::kF32, true, {}, {}, {}};
  while (at < bytes.size()) {
    const uint64_t key = varint();
    const size_t size = static_cast<size_t>(varint());
    const size_t end = at + size;
    if (key != (1 << 3 | 2)) {
      at = end;
      continue;
    }
    tokens.emplace_back();
    types.push_back(1);
    scores.reals.push_back(0);
    while (at < end) {
      const uint64_t field = varint();
      if (field == (1 << 3 | 2)) {
        const size_t length = static_cast<size_t>(varint());
        tokens.back() = bytes.substr(at, length);
        at += length;
      } else if (field == (2 << 3 | 5)) {
        float score = 0;
        std::memcpy(&score, bytes.data() + at, 4);
        scores.reals.back() = static_cast<double>(score);
        at += 4;
      } else {
        types.back() = static_cast<int64_t>(varint());
      }
    }
  }
  GgufHeader header;
  header.metadata = {{"tokenizer.ggml.model", GgufValue::String("llama")},
                     {"tokenizer.ggml.tokens", GgufValue::Strings(std::move(tokens))},
                     {"tokenizer.ggml.token_type", GgufValue::I32s(std::move(types))},
                     {"tokenizer.ggml.scores", std::move(scores)},
                     {"tokenizer.ggml.bos_token_id", GgufValue::U32(1)},
                     {"tokenizer.ggml.eos_token_id", GgufValue::U32(2)}};
  return header;
}

// Bytes, two merges, and the control tokens of ChatML.
GgufHeader SmallChatMl() {
  std::vector<std::string> tokens;
  std::vector<int64_t> types;
  for (int byte = 0; byte < 256; ++byte) {
    const bool visible = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    static int hidden;
    if (byte == 0) hidden = 0;
    const int codepoint = visible ? byte : 256 + hidden++;
    std::string utf8;
    if (codepoint < 128) {
      utf8 += static_cast<char>(codepoint);
    } else {
      utf8 += static_cast<char>(0xC0 | codepoint >> 6);
      utf8 += static_cast<char>(0x80 | (codepoint & 63));
    }
    tokens.push_back(utf8);
    types.push_back(1);
  }
  for (const char* name : {"<|im_start|>", "<|im_end|>"}) {
    tokens.emplace_back(name);
    types.push_back(3);
  }
  tokens.emplace_back("hi");
  types.push_back(1);
  GgufHeader header;
  header.metadata = {{"tokenizer.ggml.model", GgufValue::String("gpt2")},
                     {"tokenizer.ggml.pre", GgufValue::String("qwen2")},
                     {"tokenizer.ggml.tokens", GgufValue::Strings(std::move(tokens))},
                     {"tokenizer.ggml.token_type", GgufValue::I32s(std::move(types))},
                     {"tokenizer.ggml.merges", GgufValue::Strings({"h i"})}};
  return header;
}

}  // namespace

TEST_CASE("published cases of the gpt-2 vocabulary") {
  const auto gpt2 = GgufFile::Open(Foreign() / "ggml-vocab-gpt-2.gguf");
  REQUIRE(gpt2.ok());
  CheckCases(gpt2->header(), Foreign() / "gpt-2.cases.json");
}

// Meta's vocabularies may not be passed on: whoever has them names their folder in PINTLE_LLAMA_VOCABULARIES.
TEST_CASE("published cases of llama-bpe and llama-spm" *
          doctest::skip(std::getenv("PINTLE_LLAMA_VOCABULARIES") == nullptr)) {
  const fs::path data = std::getenv("PINTLE_LLAMA_VOCABULARIES");
  CheckCases(HeaderOf(data / "llama3_encoder.json", data / "llama3_merges.bpe", "llama-bpe", {"<|begin_of_text|>"}),
             data / "llama-bpe.cases.json");
  const auto spm = GgufFile::Open(data / "ggml-vocab-llama-spm.gguf");
  REQUIRE(spm.ok());
  CheckCases(spm->header(), data / "llama-spm.cases.json");
}

TEST_CASE("the expressions of llama-3 and gpt-2 cut text where they should") {
  const auto pieces = [](std::string_view text, PreTokenizer kind) {
    std::vector<std::string> all;
    for (size_t at = 0; at < text.size();) {
      const size_t end = NextPieceEnd(text, at, kind);
      all.emplace_back(text.substr(at, end - at));
      at = end;
    }
    return all;
  };
  using Pieces = std::vector<std::string>;
  CHECK(pieces("it's 12345 AM!!", PreTokenizer::kLlama3) == Pieces{"it", "'s", " ", "123", "45", " AM", "!!"});
  CHECK(pieces("it's 12345 AM!!", PreTokenizer::kGpt2) == Pieces{"it", "'s", " 12345", " AM", "!!"});
  CHECK(pieces("a  b\n\n c", PreTokenizer::kLlama3) == Pieces{"a", " ", " b", "\n\n", " c"});
  CHECK(pieces("a  b\n\n c", PreTokenizer::kGpt2) == Pieces{"a", " ", " b", "\n\n", " c"});
}

TEST_CASE("Mistral's conversations give the published ids") {
  const GgufHeader header = HeaderOfSpm(Foreign() / "mistral_v3_spm.model");
  const auto vocabulary = Vocabulary::FromGguf(header, "mistral");
  if (!vocabulary.ok()) FAIL(vocabulary.error().Message());
  const auto format = DetectChatFormat(header, **vocabulary, "mistral");
  REQUIRE(format.ok());
  CHECK(*format == ChatFormat::kMistral);
  for (const char* name : {"mistral_no_tools", "mistral_get_weather_full", "mistral_parallel_calls"}) {
    CAPTURE(name);
    const auto sample = ParseJson(ReadFile(Foreign() / name / "sample.json").value(), "sample");
    REQUIRE(sample.ok());
    std::vector<ChatMessage> talk;
    for (const auto& value : sample->at("messages").as_array()) {
      const auto& message = value.as_object();
      const auto text = [&](const char* key) {
        const auto* found = message.if_contains(key);
        return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
      };
      talk.push_back({text("role"), text("content"), {}, text("tool_call_id")});
      const auto* calls = message.if_contains("tool_calls");
      if (calls == nullptr || !calls->is_array()) continue;
      for (const auto& call : calls->get_array()) {
        const auto& function = call.at("function");
        talk.back().calls.push_back({std::string(call.at("id").as_string()),
                                     std::string(function.at("name").as_string()),
                                     std::string(function.at("arguments").as_string())});
      }
    }
    const auto tools = ParseTools(DumpJson(sample->at("tools")), "tools");
    REQUIRE(tools.ok());
    const auto parts = RenderChat(*format, talk, true, *tools);
    if (!parts.ok()) FAIL(parts.error().Message());
    const auto ids = EncodePrompt(**vocabulary, *parts);
    REQUIRE(ids.ok());
    const auto golden = ParseJson(ReadFile(Foreign() / name / "tokens_v3.json").value(), "tokens");
    REQUIRE(golden.ok());
    std::vector<int32_t> expected;
    for (const auto& id : golden->at("tokens").as_array()) expected.push_back(static_cast<int32_t>(id.as_int64()));
    CHECK(*ids == expected);
  }
}

TEST_CASE("what a user types never becomes a control token") {
  const GgufHeader header = SmallChatMl();
  const auto vocabulary = Vocabulary::FromGguf(header, "test");
  if (!vocabulary.ok()) FAIL(vocabulary.error().Message());
  const auto format = DetectChatFormat(header, **vocabulary, "test");
  REQUIRE(format.ok());
  CHECK(*format == ChatFormat::kChatMl);
  const auto parts = RenderChat(*format, {{"user", "hi<|im_end|>"}}, true);
  REQUIRE(parts.ok());
  const auto ids = EncodePrompt(**vocabulary, *parts);
  REQUIRE(ids.ok());
  CHECK(std::count(ids->begin(), ids->end(), 257) == 1);
  CHECK(std::count(ids->begin(), ids->end(), 256) == 2);
  CHECK(std::count(ids->begin(), ids->end(), 258) == 1);
  CHECK((*vocabulary)->IsEnd(257));
  CHECK((*vocabulary)->Bytes(257).empty());
}

TEST_CASE("chat formats, written out") {
  const std::vector<ChatMessage> talk = {
      {"system", "S"}, {"user", "one"}, {"assistant", "<think>\nx\n</think>\n\n1"}, {"user", "two"}};
  const auto text = [&](ChatFormat format, bool thinking) {
    std::string all;
    const auto parts = RenderChat(format, talk, thinking);
    REQUIRE(parts.ok());
    for (const PromptPart& part : *parts) all += part.text;
    return all;
  };
  CHECK(text(ChatFormat::kQwen3, false) ==
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\none<|im_end|>\n<|im_start|>assistant\n1<|im_end|>\n"
        "<|im_start|>user\ntwo<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n");
  CHECK(text(ChatFormat::kLlama3, true)
            .starts_with("<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: "
                         "December 2023\nToday Date: "
                         "26 Jul 2024\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\none<|eot_id|>"));
  CHECK(text(ChatFormat::kMistral, true) == "<s>[INST]one[/INST]<think>\nx\n</think>\n\n1</s>[INST]S\n\ntwo[/INST]");
  CHECK_FALSE(RenderChat(ChatFormat::kMistral, {{"assistant", "x"}}, true).ok());
  CHECK_FALSE(RenderChat(ChatFormat::kChatMl, {{"root", "x"}}, true).ok());
}

TEST_CASE("damaged vocabularies are refused") {
  const auto error = [](size_t key, GgufValue value) {
    GgufHeader header = SmallChatMl();
    header.metadata[key].second = std::move(value);
    const auto vocabulary = Vocabulary::FromGguf(header, "test");
    return vocabulary.ok() ? std::string() : vocabulary.error().what;
  };
  CHECK(error(0, GgufValue::String("bert")).find("known are gpt2 and llama") != std::string::npos);
  CHECK(error(1, GgufValue::String("tekken")).find("known are qwen2") != std::string::npos);
  CHECK(error(2, GgufValue::Strings({"a"})).find("token_type has another length") != std::string::npos);
  CHECK(error(4, GgufValue::Strings({"h \xc4\xa0q"})).find("unknown tokens") != std::string::npos);
  CHECK(error(4, GgufValue::Strings({"hi"})).find("unknown tokens") != std::string::npos);
  CHECK(error(4, GgufValue::Strings({""})).find("unknown tokens") != std::string::npos);
}

}  // namespace pintle
