#include "train/loader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "formats/manifest.h"
#include "formats/shard.h"
#include "text/bpe_trainer.h"

namespace pintle {
namespace {

// Texts of a few lengths; every third with characters of more than one byte.
std::string Text(int number) {
  std::string text = "fn item_" + std::to_string(number) + "() {\n";
  for (int line = 0; line < number % 7 * number % 31; ++line) {
    text += "    let value_" + std::to_string(line * number % 13) + " = compute(" + std::to_string(line) + ");";
    text += number % 3 == 0 ? " // \u00E9\u4F60\U0001F980\n" : "\n";
  }
  return text + "}\n";
}

std::shared_ptr<const Tokenizer> MakeTokenizer() {
  PieceCounter counter;
  for (int i = 0; i < 40; ++i) counter.AddText(Text(i));
  auto tokenizer = Tokenizer::FromMerges(TrainBpe(counter, {60, 2, 64}), SpecialTokenNames());
  REQUIRE(tokenizer.ok());
  return std::make_shared<Tokenizer>(*std::move(tokenizer));
}

struct SourceFile {
  std::string text, path;  // a path: continues the segment
};

// WORK/shards with the given files, a new shard after every `per_shard` of them.
struct Shards {
  TemporaryFolder folder;
  std::shared_ptr<const Tokenizer> tokenizer = MakeTokenizer();

  explicit Shards(const std::vector<SourceFile>& files, size_t per_shard = 1000) {
    auto output = StageOutput::Create(path());
    REQUIRE(output.ok());
    for (size_t first = 0, shard = 0; first < files.size(); first += per_shard, ++shard) {
      auto writer = ShardWriter::Create(output->folder() / ("train-0000" + std::to_string(shard) + ".bin"),
                                        static_cast<uint32_t>(tokenizer->vocab_size()), tokenizer->hash());
      REQUIRE(writer.ok());
      for (size_t i = first; i < std::min(files.size(), first + per_shard); ++i) {
        ShardDocument document;
        std::vector<int32_t> ids;
        if (!files[i].path.empty()) tokenizer->Encode(files[i].path + "\n", ids);
        document.path_tokens = static_cast<uint32_t>(ids.size());
        document.flags = files[i].path.empty() ? 0 : kShardContinues;
        document.bytes = static_cast<uint32_t>(files[i].text.size());
        tokenizer->Encode(files[i].text, ids);
        REQUIRE(writer->Add(ids, document).ok());
      }
      REQUIRE(writer->Finish().ok());
    }
    Manifest manifest;
    manifest.stage = "shard";
    REQUIRE(output->Commit(manifest).ok());
  }
  std::filesystem::path path() const { return folder.path() / "shards"; }
  std::unique_ptr<Loader> Open(const LoaderConfig& config) const {
    auto loader = Loader::Open(path(), tokenizer, config);
    REQUIRE_MESSAGE(loader.ok(), loader.error().Message());
    return *std::move(loader);
  }
};

std::vector<SourceFile> Many() {
  std::vector<SourceFile> files;
  for (int i = 0; i < 40; ++i) files.push_back({Text(i), i % 4 == 3 ? "src/m" + std::to_string(i) + ".rs" : ""});
  return files;
}

TokenBatch Take(Loader& loader) {
  TokenBatch batch;
  const auto more = loader.Next(batch);
  REQUIRE(more.ok());
  REQUIRE(*more);
  return batch;
}

bool Same(const TokenBatch& a, const TokenBatch& b) {
  return a.ids == b.ids && a.targets == b.targets && a.document == b.document && a.position == b.position;
}

TEST_CASE("documents are packed one after the other, each opened and closed by the document end") {
  const Shards shards({{"ab", ""}, {"c", ""}});
  const auto loader = shards.Open({.batch = 1, .time = 4, .shuffle = false, .epochs = 1});
  const int32_t end = shards.tokenizer->end_of_text();
  TokenBatch batch = Take(*loader);
  CHECK(batch.ids == std::vector<int32_t>{end, 'a', 'b', end});
  CHECK(batch.targets == std::vector<int32_t>{'a', 'b', end, 'c'});
  CHECK(batch.document == std::vector<int32_t>{0, 0, 0, 1});
  CHECK(batch.position == std::vector<int32_t>{0, 1, 2, 0});
  CHECK(loader->last_targets() == 4);
  CHECK(loader->last_bytes() == 3);
  batch = Take(*loader);
  CHECK(batch.ids == std::vector<int32_t>{'c', end, end, end});
  CHECK(batch.targets == std::vector<int32_t>{end, -100, -100, -100});
  CHECK(batch.document == std::vector<int32_t>{0, 1, 1, 1});
  CHECK(batch.position == std::vector<int32_t>{0, 0, 1, 2});
  const auto more = loader->Next(batch);
  CHECK((more.ok() && !*more));
  CHECK(loader->tokens_per_epoch() == 5);
}

TEST_CASE("a chained file stands in the same document behind its path, which is not scored") {
  const Shards shards({{"ab", ""}, {"c", "x"}});
  const auto loader = shards.Open({.batch = 1, .time = 8, .shuffle = false, .epochs = 1});
  const int32_t end = shards.tokenizer->end_of_text(), file = shards.tokenizer->SpecialId(special::kFileSep);
  const TokenBatch batch = Take(*loader);
  CHECK(batch.ids == std::vector<int32_t>{end, 'a', 'b', file, 'x', '\n', 'c', end});
  CHECK(batch.targets == std::vector<int32_t>{'a', 'b', end, -100, -100, 'c', end, -100});
  CHECK(batch.document == std::vector<int32_t>{0, 0, 0, 0, 0, 0, 0, 1});
  CHECK(batch.position == std::vector<int32_t>{0, 1, 2, 3, 4, 5, 6, 0});
}

TEST_CASE("an epoch scores every token once") {
  const Shards shards(Many(), 15);
  const auto loader = shards.Open({.batch = 3, .time = 50, .epochs = 1});
  int64_t bytes = 0, targets = 0, ends = 0;
  for (TokenBatch batch; *loader->Next(batch);) {
    bytes += loader->last_bytes();
    targets += loader->last_targets();
    for (const int32_t target : batch.targets) ends += target == shards.tokenizer->end_of_text() ? 1 : 0;
  }
  int64_t expected_bytes = 0, expected_tokens = 0;
  for (const SourceFile& file : Many()) {
    expected_bytes += static_cast<int64_t>(file.text.size());
    expected_tokens += static_cast<int64_t>(shards.tokenizer->Encode(file.text).size()) + 1;
  }
  CHECK(bytes == expected_bytes);
  CHECK(targets == expected_tokens);
  CHECK(ends == 40);
  CHECK(loader->epoch() == 1);
  CHECK(loader->epoch_progress() == 0.0);
}

// Rearranged parts found in a row, put back into order.
void CollectRearranged(const Tokenizer& tokenizer, const TokenBatch& batch, std::multiset<std::string>& texts, int& psm,
                       int& spm) {
  const int32_t pre = tokenizer.SpecialId(special::kFimPrefix), suf = tokenizer.SpecialId(special::kFimSuffix),
                mid = tokenizer.SpecialId(special::kFimMiddle);
  for (size_t i = 0; i < batch.ids.size(); ++i) {
    if (batch.ids[i] != pre) continue;
    size_t s = i + 1;
    while (batch.ids[s] != suf) ++s;
    size_t m = s + 1;
    while (batch.ids[m] != mid) ++m;
    size_t end = m;
    while (batch.targets[end] != tokenizer.end_of_text()) ++end;
    const auto text = [&](size_t from, size_t to) { return tokenizer.Decode(batch.ids.data() + from, to - from); };
    for (size_t k = i; k <= end; ++k) CHECK(batch.document[k] == batch.document[i]);
    for (size_t k = i; k < end; ++k) CHECK(batch.targets[k] == batch.ids[k + 1]);
    const std::string prefix = text(i + 1, s), suffix = text(s + 1, m), middle = text(m + 1, end + 1);
    // An empty prefix looks the same in both orders.
    ++(s == i + 1 ? spm : psm);
    for (const std::string& part : {prefix, suffix, middle}) CHECK((part.empty() || (part[0] & 0xC0) != 0x80));
    texts.insert(prefix + middle + suffix);
  }
}

TEST_CASE("rearranged parts hold the bytes of their file, in both orders, cut anew in each epoch") {
  const Shards shards({{Text(23), ""}, {Text(24), ""}, {Text(27), ""}, {Text(29), "src/a.rs"}});
  const auto loader = shards.Open({.batch = 1, .time = 4096, .seed = 5, .fim_rate = 1, .epochs = 0});
  std::set<std::vector<int32_t>> rows;
  int psm = 0, spm = 0;
  std::multiset<std::string> texts;
  for (int i = 0; i < 20; ++i) {
    const TokenBatch batch = Take(*loader);
    CHECK(rows.insert(batch.ids).second);
    CollectRearranged(*shards.tokenizer, batch, texts, psm, spm);
  }
  CHECK(psm > 20);
  CHECK(spm > 20);
  int64_t whole = 0;
  for (const int number : {23, 24, 27, 29}) whole += static_cast<int64_t>(texts.count(Text(number)));
  CHECK(whole > static_cast<int64_t>(texts.size()) * 8 / 10);  // the rest was cut at the end of a row
}

TEST_CASE("a part that is longer than a row is rearranged as far as it fits, and nothing of the file is lost") {
  const std::string text = Text(29);
  const Shards shards(std::vector<SourceFile>{{text, ""}});
  for (const int64_t time : {40, 64, 100}) {
    const auto loader = shards.Open({.batch = 1, .time = time, .fim_rate = 1, .spm_rate = 0, .epochs = 1});
    const int32_t pre = shards.tokenizer->SpecialId(special::kFimPrefix),
                  suf = shards.tokenizer->SpecialId(special::kFimSuffix),
                  mid = shards.tokenizer->SpecialId(special::kFimMiddle), end = shards.tokenizer->end_of_text();
    std::string joined;
    int rearranged = 0;
    for (TokenBatch batch; *loader->Next(batch);) {
      std::map<int32_t, std::string> parts;  // by the sentinel before them
      int32_t sentinel = end;
      for (size_t i = 0; i < batch.ids.size() && (batch.targets[i] != -100); ++i) {
        const int32_t id = batch.ids[i];
        if (id == pre || id == suf || id == mid || id == end)
          sentinel = id;
        else
          parts[sentinel] += shards.tokenizer->Decode(&id, 1);
      }
      joined += parts[end] + parts[pre] + parts[mid] + parts[suf];
      rearranged += batch.ids[0] == pre ? 1 : 0;
    }
    CHECK(joined == text);
    CHECK(rearranged > 3);
  }
}

TEST_CASE("neither counting ahead nor the batch size changes the rows") {
  const Shards shards(Many(), 15);
  const LoaderConfig config{.batch = 4, .time = 64, .seed = 3, .fim_rate = 0.5};
  LoaderConfig one = config;
  one.batch = 1;
  const auto four = shards.Open(config), single = shards.Open(one);
  for (int step = 0; step < 60; ++step) {
    const auto counted = four->CountTargets(2);
    REQUIRE(counted.ok());
    int64_t scored = 0;
    for (int micro = 0; micro < 2; ++micro) {
      const TokenBatch batch = Take(*four);
      scored += four->last_targets();
      TokenBatch joined;
      for (int row = 0; row < 4; ++row) {
        const TokenBatch part = Take(*single);
        joined.ids.insert(joined.ids.end(), part.ids.begin(), part.ids.end());
        joined.targets.insert(joined.targets.end(), part.targets.begin(), part.targets.end());
        joined.document.insert(joined.document.end(), part.document.begin(), part.document.end());
        joined.position.insert(joined.position.end(), part.position.begin(), part.position.end());
      }
      REQUIRE(Same(batch, joined));
    }
    CHECK(*counted == scored);
  }
  CHECK(four->epoch() > 1);
}

TEST_CASE("a restored loader goes on exactly where the state was taken") {
  const Shards shards(Many(), 15);
  const LoaderConfig config{.batch = 2, .time = 48, .seed = 9, .fim_rate = 0.5};
  const auto loader = shards.Open(config);
  for (int step = 0; step < 50; ++step) {
    REQUIRE(loader->CountTargets(3).ok());  // rows counted ahead are not part of the state
    const std::string saved = DumpJson(loader->State());
    const auto other = shards.Open(config);
    const Status restored = other->Restore(ParseJson(saved, "state")->as_object());
    REQUIRE_MESSAGE(restored.ok(), restored.error().Message());
    CHECK(other->epoch() == loader->epoch());
    CHECK(other->epoch_progress() == loader->epoch_progress());
    const TokenBatch next = Take(*loader);
    REQUIRE(Same(Take(*other), next));
    REQUIRE(DumpJson(other->State()) == DumpJson(loader->State()));
  }
}

TEST_CASE("a state of other data or settings, and a position outside, is refused") {
  const Shards shards(Many());
  const auto loader = shards.Open({.batch = 1, .time = 48, .seed = 9});
  boost::json::object state = loader->State();
  const auto refuse = [&](const char* key, boost::json::value value) {
    boost::json::object other = state;
    other[key] = std::move(value);
    const Status status = loader->Restore(other);
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == Code::kValidation);
    return status.error().what;
  };
  CHECK(refuse("seed", 10) == "seed is 10 there and 9 now");
  CHECK(refuse("time", 64) == "time is 64 there and 48 now");
  CHECK(refuse("shards", "x").starts_with("shards is \"x\" there"));
  CHECK(refuse("segment", 1000) == "the position lies outside of the data");
  CHECK(refuse("lane", 32) == "the position lies outside of the data");
  CHECK(refuse("slots", -1) == "slots is out of range");
  CHECK(refuse("places", boost::json::array{}) == "the position lies outside of the data");
  for (const auto& place :
       {boost::json::array{31, 0, 0, 0, 0}, boost::json::array{0, 0, 9, 0, 0}, boost::json::array{0, 0, 0, 1 << 20, 0},
        boost::json::array{0, 0, 0, 0, -1}, boost::json::array{0, 0, 0}, boost::json::array{0, 0, "0", 0, 0}}) {
    boost::json::array places = state["places"].as_array();
    places[3] = place;
    CHECK(refuse("places", places) == "the position lies outside of the data");
  }
  CHECK(loader->Restore(state).ok());
}

TEST_CASE("epochs differ in order, seeds too; without shuffle the order is the shards'") {
  const Shards shards(Many());
  const auto first_ids = [&](uint64_t seed, int64_t skip) {
    const auto loader = shards.Open({.batch = 1, .time = 512, .seed = seed});
    TokenBatch batch = Take(*loader);
    while (loader->epoch() < skip) batch = Take(*loader);
    return batch.ids;
  };
  CHECK(first_ids(1, 0) == first_ids(1, 0));
  CHECK(first_ids(1, 0) != first_ids(2, 0));
  CHECK(first_ids(1, 1) != first_ids(1, 0));
}

TEST_CASE("neighbouring rows come from different files, and each lane reads its file in order") {
  std::vector<SourceFile> files;
  for (int i = 0; i < 6; ++i)
    files.push_back({"// file " + std::string(1, static_cast<char>('A' + i)) + "\n" + Text(29), ""});
  const Shards shards(files);
  const auto loader = shards.Open({.batch = 1, .time = 64, .lanes = 3});
  std::vector<TokenBatch> rows;
  for (int i = 0; i < 6; ++i) rows.push_back(Take(*loader));
  std::set<std::string> heads;
  for (size_t i = 0; i < 3; ++i) {
    CHECK(rows[i].ids[0] == shards.tokenizer->end_of_text());
    heads.insert(shards.tokenizer->Decode(rows[i].ids.data() + 1, 20));
    CHECK(rows[i + 3].ids[0] == rows[i].targets[63]);
  }
  CHECK(heads.size() == 3);
}

TEST_CASE("damaged or foreign shards are refused with what to do") {
  const Shards shards(std::vector<SourceFile>{{"fn main() {}", ""}});
  const auto error = [&](const LoaderConfig& config, const std::shared_ptr<const Tokenizer>& tokenizer) {
    const auto loader = Loader::Open(shards.path(), tokenizer, config);
    REQUIRE_FALSE(loader.ok());
    return loader.error().what;
  };
  CHECK(error({.split = "val"}, shards.tokenizer) == "split val holds no document");
  CHECK(error({.batch = 0}, shards.tokenizer) ==
        "a loader needs batch >= 1, time >= 2, lanes >= 1 and rates between 0 and 1");
  const auto other = std::make_shared<Tokenizer>(*Tokenizer::FromMerges({}, SpecialTokenNames()));
  CHECK(error({}, other) == "the shard was made with another tokenizer");
  CHECK(error({}, std::make_shared<Tokenizer>(*Tokenizer::FromMerges({}, {}))) == "the tokenizer has no <|endoftext|>");
  auto bytes = ReadFile(shards.path() / "train-00000.bin");
  REQUIRE(bytes.ok());
  (*bytes)[257] = static_cast<char>((*bytes)[257] ^ 1);
  REQUIRE(WriteFileAtomic(shards.path() / "train-00000.bin", *bytes).ok());
  CHECK(error({}, shards.tokenizer) == "damaged shard: the tokens do not have their hash");
}

}  // namespace
}  // namespace pintle
