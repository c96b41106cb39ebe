// `pintle m31r tokenizer train | encode | decode | info`.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <iterator>

#include "base/file.h"
#include "base/json.h"
#include "base/time.h"
#include "cli/settings.h"
#include "cli/verbs.h"
#include "corpus/tokenizer_stage.h"

namespace pintle {
namespace {

struct Options {
  std::string work, tokenizer, text, file;
  int64_t vocab_size = 0;
  bool specials = false;
  std::vector<std::string> ids;
};

Result<Tokenizer> Open(const Options& options) {
  if (!options.tokenizer.empty()) return Tokenizer::Load(options.tokenizer);
  if (!options.work.empty()) return Tokenizer::Load(std::filesystem::path(options.work) / "tokenizer");
  return UsageError("no tokenizer named", "", "give --tokenizer FILE|MODEL_FOLDER or --work DIR");
}

void AddTokenizerOptions(Command& verb, Options& options) {
  verb.Option("--tokenizer", options.tokenizer, "a tokenizer.json, or a folder that holds one (a model)");
  verb.Option("--work", options.work, "the work folder whose tokenizer is meant");
}

// --text, --file or standard input.
Result<std::string> Input(const Options& options) {
  if (!options.text.empty()) return options.text;
  if (!options.file.empty()) return ReadFile(options.file);
  return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

Status Train(const Options& options, const Global& global) {
  TokenizerConfig config;
  PINTLE_RETURN_IF_ERROR(LoadSettings(global, [&](ConfigVisitor& v) { config.Visit(v); }));
  if (options.vocab_size != 0) {
    PINTLE_RETURN_IF_ERROR(SetConfigValue(fmt::format("tokenizer.vocab_size={}", options.vocab_size), "--vocab",
                                          [&](ConfigVisitor& v) { config.Visit(v); }));
  }
  if (global.dry_run) {
    fmt::print("{}", DumpConfig([&](ConfigVisitor& v) { config.Visit(v); }));
    return {};
  }
  ThreadPool pool(global.threads);
  PINTLE_ASSIGN(const TokenizerSummary summary, TrainTokenizerStage(options.work, config, pool));
  if (global.json) {
    fmt::print("{}\n", DumpJson(boost::json::object{{"id", summary.id},
                                                    {"tokenizer", summary.tokenizer_hash},
                                                    {"vocab_size", summary.vocab_size},
                                                    {"up_to_date", summary.up_to_date},
                                                    {"documents", summary.documents},
                                                    {"bytes", summary.bytes},
                                                    {"distinct_pieces", summary.distinct_pieces},
                                                    {"count_seconds", summary.count_seconds},
                                                    {"merge_seconds", summary.merge_seconds}}));
  } else if (summary.up_to_date) {
    fmt::print("tokenizer {:.12} of {} ids is up to date\n", summary.tokenizer_hash, summary.vocab_size);
  } else {
    fmt::print("tokenizer {:.12} of {} ids from {} documents, {}; counted {} pieces in {:.1f} s, merged in {:.1f} s\n",
               summary.tokenizer_hash, summary.vocab_size, summary.documents,
               HumanBytes(static_cast<double>(summary.bytes)), summary.distinct_pieces, summary.count_seconds,
               summary.merge_seconds);
  }
  return {};
}

Status Encode(const Options& options, const Global& global) {
  PINTLE_ASSIGN(const Tokenizer tokenizer, Open(options));
  PINTLE_ASSIGN(const std::string text, Input(options));
  std::vector<int32_t> ids;
  if (options.specials) {
    ids = tokenizer.EncodeWithSpecials(text);
  } else {
    Encoder(tokenizer).Encode(text, ids);
  }
  std::string line;
  for (const int32_t id : ids) line += fmt::format("{}{}", line.empty() ? "" : global.json ? "," : " ", id);
  fmt::print("{}\n", global.json ? fmt::format("{{\"ids\":[{}]}}", line) : line);
  return {};
}

// Ids separated by anything that is no digit: words, lines or JSON.
Result<std::vector<int32_t>> ParseIds(std::string_view text, int32_t vocab_size) {
  std::vector<int32_t> ids;
  for (size_t at = 0; at < text.size();) {
    if (text[at] < '0' || text[at] > '9') {
      ++at;
      continue;
    }
    int32_t id = -1;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), id);
    if (error != std::errc() || id >= vocab_size) {
      return UsageError(fmt::format("an id is not below {}", vocab_size),
                        std::string(text.substr(at, static_cast<size_t>(end - text.data()) - at)));
    }
    ids.push_back(id);
    at = static_cast<size_t>(end - text.data());
  }
  return ids;
}

Status Decode(const Options& options, const Global& global) {
  PINTLE_ASSIGN(const Tokenizer tokenizer, Open(options));
  std::string text;
  for (const std::string& id : options.ids) text += id + " ";
  if (options.ids.empty()) {
    PINTLE_ASSIGN(text, Input(options));
  }
  PINTLE_ASSIGN(const std::vector<int32_t> ids, ParseIds(text, tokenizer.vocab_size()));
  if (ids.empty() && text.find_first_not_of(" \t\r\n[]{}") != std::string::npos) {
    return UsageError("no ids: '" + text.substr(0, 40) + "' holds no number", "",
                      "pintle m31r tokenizer decode 17 4 902");
  }
  const std::string decoded = tokenizer.Decode(ids);
  if (global.json) {
    fmt::print("{}\n", DumpJson(boost::json::object{{"text", decoded}}));
  } else {
    std::fwrite(decoded.data(), 1, decoded.size(), stdout);
  }
  return {};
}

Status Info(const Options& options, const Global& global) {
  PINTLE_ASSIGN(const Tokenizer tokenizer, Open(options));
  boost::json::object report{{"vocab_size", tokenizer.vocab_size()},
                             {"merges", tokenizer.merges().size()},
                             {"special_tokens", tokenizer.specials().size()},
                             {"hash", tokenizer.hash()}};
  if (!options.file.empty()) {
    PINTLE_ASSIGN(const std::string text, ReadFile(options.file));
    const TokenizerMeasures m = MeasureTokenizer(tokenizer, text);
    const auto ratio = [](int64_t a, int64_t b) {
      return static_cast<double>(a) / static_cast<double>(b == 0 ? 1 : b);
    };
    report["file"] = {{"bytes", m.bytes},
                      {"tokens", m.tokens},
                      {"lines", m.lines},
                      {"bytes_per_token", ratio(m.bytes, m.tokens)},
                      {"tokens_per_line", ratio(m.tokens, m.lines)},
                      {"tokens_per_piece", ratio(m.tokens, m.pieces)},
                      {"whole_words", ratio(m.whole_identifiers, m.identifiers)},
                      {"round_trip", m.round_trip},
                      {"mb_per_s", static_cast<double>(m.bytes) / m.encode_seconds / 1e6},
                      {"tokens_per_s", static_cast<double>(m.tokens) / m.encode_seconds}};
    if (!m.round_trip) return RuntimeError("the tokens do not decode to the same bytes", options.file);
  }
  if (global.json) {
    fmt::print("{}\n", DumpJson(report));
    return {};
  }
  fmt::print("vocabulary        {} ids: 256 bytes, {} merges, {} special tokens\nhash              {}\n",
             tokenizer.vocab_size(), tokenizer.merges().size(), tokenizer.specials().size(), tokenizer.hash());
  if (const auto* file = report.if_contains("file")) {
    const auto number = [&](const char* key) { return file->at(key).to_number<double>(); };
    fmt::print(
        "file              {}, {:.0f} tokens, {:.0f} lines; decodes to the same bytes\n"
        "bytes per token   {:.3f}\ntokens per line   {:.2f}\ntokens per piece  {:.3f} (1 = nothing is cut)\n"
        "whole words       {:.1f} % of the words are one token\n"
        "encoding          {:.0f} MB/s, {:.1f} M tokens/s on one thread\n",
        HumanBytes(number("bytes")), number("tokens"), number("lines"), number("bytes_per_token"),
        number("tokens_per_line"), number("tokens_per_piece"), 100 * number("whole_words"), number("mb_per_s"),
        number("tokens_per_s") / 1e6);
  }
  return {};
}

}  // namespace

void RegisterM31rTokenizer(Command& m31r) {
  auto options = std::make_shared<Options>();
  Command& tokenizer = m31r.Add("tokenizer", "train a vocabulary, turn text into tokens and back");

  Command& train = tokenizer.Add("train", "learn the vocabulary from the training split");
  train.Option("--work", options->work, "the work folder").Required();
  train.Option("--vocab", options->vocab_size, "ids in all, 32 special tokens included");
  train.Run([options](const Global& global) { return Train(*options, global); });

  Command& encode = tokenizer.Add("encode", "text to ids");
  AddTokenizerOptions(encode, *options);
  encode.Option("--text", options->text, "the text (else --file, else standard input)");
  encode.Option("--file", options->file, "a file with the text");
  encode.Flag("--specials", options->specials, "names of special tokens in the text become those tokens");
  encode.Run([options](const Global& global) { return Encode(*options, global); });

  Command& decode = tokenizer.Add("decode", "ids to text");
  AddTokenizerOptions(decode, *options);
  decode.Option("--file", options->file, "a file with ids (else words, else standard input)");
  decode.Rest("ids", options->ids, "the ids");
  decode.Run([options](const Global& global) { return Decode(*options, global); });

  Command& info = tokenizer.Add("info", "the vocabulary, and how well and fast it cuts a file");
  AddTokenizerOptions(info, *options);
  info.Option("--file", options->file, "a file to measure on");
  info.Run([options](const Global& global) { return Info(*options, global); });
}

}  // namespace pintle
