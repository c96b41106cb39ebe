#include "corpus/dataset.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <unordered_map>

#include "base/file.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "base/thread_pool.h"
#include "corpus/dataset_report.h"
#include "corpus/ledger.h"
#include "corpus/line_batches.h"
#include "corpus/minhash.h"
#include "formats/jsonl_zst.h"
#include "formats/manifest.h"

namespace pintle {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

constexpr char kDocuments[] = "documents.jsonl.zst";

uint64_t CrateHash(const std::string& crate) {
  const Sha256Digest digest = Sha256Of(crate);
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof value; ++i) value = value << 8 | digest[i];
  return value;
}

// What is needed of one document.
struct Document {
  Status status;
  std::string source, crate, licence, path;
  Split split = Split::kTrain;
  TextSums sums;
  Signature signature{};
  int64_t resembles = -1;  // index of a held-out document
};

using CrateSplits = std::unordered_map<std::string, Split>;

void ReadDocument(const std::string& line, const std::string& where, const CrateSplits& splits, bool held_out_only,
                  Document& out) {
  out = {};
  const auto fail = [&](const Error& error) { out.status = error; };
  const auto record = ParseJson(line, where);
  if (!record.ok()) return fail(record.error());
  auto crate = JsonString(*record, "crate", where), source = JsonString(*record, "source", where),
       licence = JsonString(*record, "licence", where), path = JsonString(*record, "path", where);
  for (const auto* field : {&crate, &source, &licence, &path}) {
    if (!field->ok()) return fail(field->error());
  }
  const auto split = splits.find(*crate);
  if (split == splits.end()) return fail(ValidationError("crate '" + *crate + "' is not in the ledger", where));
  out.split = split->second;
  out.crate = *std::move(crate);
  out.source = *std::move(source);
  out.licence = *std::move(licence);
  out.path = *std::move(path);
  if (held_out_only && out.split == Split::kTrain) return;
  const auto text = JsonString(*record, "text", where);
  if (!text.ok()) return fail(text.error());
  std::vector<WordHash> words;
  SplitWords(*text, words);
  MinHash(words, out.signature);
  if (!held_out_only) out.sums.Add(*text);
}

// The held-out documents, to compare others with: train with both, val with test.
struct HeldOut {
  SimilarityIndex val, test;

  [[nodiscard]] int64_t Find(const Document& document, int64_t percent) const {
    if (document.split == Split::kTest) return -1;
    if (const int64_t found = test.Find(document.signature, percent); found >= 0) return found;
    return document.split == Split::kTrain ? val.Find(document.signature, percent) : -1;
  }
};

class Builder {
 public:
  Builder(const DatasetOptions& options, CrateSplits splits)
      : options_(options), splits_(std::move(splits)), pool_(options.threads) {}

  Status FindHeldOut() {
    PINTLE_RETURN_IF_ERROR(ForEachBatch(
        true, [](Document&) {},
        [&](const std::string&, const Document& document) -> Status {
          if (document.split == Split::kVal) held_out_.val.Add(document.signature);
          if (document.split == Split::kTest) held_out_.test.Add(document.signature);
          return {};
        }));
    held_out_.val.Finish();
    held_out_.test.Finish();
    return {};
  }

  Status Write(const fs::path& folder, DatasetReport& report, std::string& content) {
    std::vector<JsonlZstWriter> writers;
    for (int s = 0; s < kSplits; ++s) {
      PINTLE_ASSIGN(JsonlZstWriter writer,
                    JsonlZstWriter::Create(folder / (std::string(SplitName(static_cast<Split>(s))) + ".jsonl.zst")));
      writers.push_back(std::move(writer));
    }
    PINTLE_ASSIGN(JsonlZstWriter left_out, JsonlZstWriter::Create(folder / "left_out.jsonl.zst"));
    std::array<Sha256, kSplits> hashes;
    PINTLE_RETURN_IF_ERROR(ForEachBatch(
        false,
        [&](Document& document) {
          document.resembles = held_out_.Find(document, options_.config.holdout_similarity_percent);
        },
        [&](const std::string& line, const Document& document) -> Status {
          const auto s = static_cast<size_t>(document.split);
          if (document.resembles >= 0) {
            report.left_out[s] += 1;
            return left_out.Write(DumpJson(json::object{
                {"source", document.source}, {"path", document.path}, {"split", SplitName(document.split)}}));
          }
          Count(document, report);
          hashes[s].Update(line);
          hashes[s].Update("\n");
          return writers[s].Write(line);
        }));
    std::string joined;
    for (int s = 0; s < kSplits; ++s) {
      PINTLE_RETURN_IF_ERROR(writers[static_cast<size_t>(s)].Finish());
      joined +=
          std::string(SplitName(static_cast<Split>(s))) + " " + ToHex(hashes[static_cast<size_t>(s)].Finish()) + "\n";
    }
    content = Sha256Hex(joined);
    return left_out.Finish();
  }

 private:
  static void Count(const Document& document, DatasetReport& report) {
    report.splits[static_cast<size_t>(document.split)].Add(document.sums);
    for (auto* share :
         {&report.licences[document.licence], &report.sources[document.source], &report.crates[document.crate].share}) {
      share->documents += 1;
      share->bytes += document.sums.bytes;
    }
    report.crates[document.crate].split = document.split;
  }

  // Reads all documents: `prepare` runs on any thread, `take` in the order of the file while the next batch is
  // prepared.
  template <typename Prepare, typename Take>
  Status ForEachBatch(bool held_out_only, const Prepare& prepare, const Take& take) {
    PINTLE_ASSIGN(LineBatches batches, LineBatches::Open(options_.work / "filtered" / kDocuments));
    std::vector<std::string> lines;
    std::vector<Document> documents, next;
    Status taken;
    for (bool more = true; more || !documents.empty();) {
      if (Interrupted()) return RuntimeError("interrupted");
      size_t fresh = 0;
      if (more) {
        PINTLE_ASSIGN(more, batches.Next());
        fresh = more ? batches.lines().size() : 0;
      }
      next.resize(fresh);
      pool_.ParallelFor(static_cast<int64_t>(fresh) + 1, [&](int64_t item) {
        if (item == 0) {
          for (size_t i = 0; i < documents.size() && taken.ok(); ++i) taken = take(lines[i], documents[i]);
          return;
        }
        const auto i = static_cast<size_t>(item) - 1;
        ReadDocument(batches.lines()[i], batches.Where(i), splits_, held_out_only, next[i]);
        if (next[i].status.ok()) prepare(next[i]);
      });
      PINTLE_RETURN_IF_ERROR(taken);
      for (const Document& document : next) PINTLE_RETURN_IF_ERROR(document.status);
      documents.swap(next);
      lines.clear();
      if (fresh > 0) lines = batches.lines();
    }
    return {};
  }

  const DatasetOptions& options_;
  CrateSplits splits_;
  ThreadPool pool_;
  HeldOut held_out_;
};

}  // namespace

void DatasetConfig::Visit(ConfigVisitor& v) {
  v.Section("dataset");
  v.Int("val_per_mille", val_per_mille, 0, 500, "crates held out for validation, in thousandths");
  v.Int("test_per_mille", test_per_mille, 0, 500, "crates held out for tests, in thousandths");
  v.Int("holdout_similarity_percent", holdout_similarity_percent, 1, 100,
        "documents that are as similar as this to a held-out one are left out");
}

const char* SplitName(Split split) {
  constexpr std::array<const char*, kSplits> kNames = {"train", "val", "test"};
  return kNames[static_cast<size_t>(split)];
}

std::vector<Split> SplitCrates(const std::vector<std::string>& crates, const DatasetConfig& config) {
  std::vector<Split> splits(crates.size(), Split::kTrain);
  std::vector<std::pair<uint64_t, size_t>> order;
  std::array<size_t, kSplits> sizes{};
  for (size_t i = 0; i < crates.size(); ++i) {
    const uint64_t hash = CrateHash(crates[i]);
    const auto place = static_cast<int64_t>(hash % 1000);
    if (place < config.val_per_mille) {
      splits[i] = Split::kVal;
    } else if (place < config.val_per_mille + config.test_per_mille) {
      splits[i] = Split::kTest;
    }
    ++sizes[static_cast<size_t>(splits[i])];
    order.emplace_back(hash, i);
  }
  if (crates.size() < kSplits) return splits;
  std::sort(order.begin(), order.end());
  for (const Split split : {Split::kVal, Split::kTest}) {
    const bool wanted = split == Split::kVal ? config.val_per_mille > 0 : config.test_per_mille > 0;
    if (!wanted || sizes[static_cast<size_t>(split)] > 0) continue;
    for (const auto& [hash, i] : order) {
      if (splits[i] != Split::kTrain) continue;
      splits[i] = split;
      break;
    }
  }
  return splits;
}

Result<StageSummary> RunDataset(const DatasetOptions& options) {
  const fs::path filtered = options.work / "filtered", target = options.work / "dataset";
  DatasetConfig config = options.config;
  PINTLE_ASSIGN(const Manifest input, ReadManifest(filtered));
  Manifest manifest;
  manifest.stage = "dataset";
  manifest.config_hash = ConfigHash([&](ConfigVisitor& v) { config.Visit(v); });
  manifest.inputs["filtered"] = input.Id();
  StageSummary summary;
  if (UpToDate(target, manifest.stage, manifest.config_hash, manifest.inputs)) {
    PINTLE_ASSIGN(const Manifest present, ReadManifest(target));
    summary = {present.Id(), true, present.counts};
    return summary;
  }

  PINTLE_ASSIGN(const LedgerReader ledger, LedgerReader::Open(filtered / "ledger.sqlite"));
  PINTLE_ASSIGN(const std::vector<std::string> crates, ledger.KeptCrates());
  if (crates.empty()) {
    return ValidationError("the filter kept nothing", filtered.string(),
                           "`pintle m31r why PATH` says why a file is not here");
  }
  const std::vector<Split> splits = SplitCrates(crates, config);
  CrateSplits of_crate;
  for (size_t i = 0; i < crates.size(); ++i) of_crate.emplace(crates[i], splits[i]);

  Builder builder(options, std::move(of_crate));
  PINTLE_RETURN_IF_ERROR(builder.FindHeldOut());
  PINTLE_ASSIGN(StageOutput output, StageOutput::Create(target));
  DatasetReport report;
  PINTLE_RETURN_IF_ERROR(builder.Write(output.folder(), report, manifest.notes["content"]));
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(output.folder() / "report.json", report.ToJson(input)));
  for (int s = 0; s < kSplits; ++s) {
    const std::string name = SplitName(static_cast<Split>(s));
    manifest.counts[name + "_documents"] = report.splits[static_cast<size_t>(s)].documents;
    manifest.counts[name + "_bytes"] = report.splits[static_cast<size_t>(s)].bytes;
    manifest.counts[name + "_left_out"] = report.left_out[static_cast<size_t>(s)];
  }
  manifest.notes["version"] = "dataset-" + manifest.notes["content"].substr(0, 12);
  summary.counts = manifest.counts;
  PINTLE_ASSIGN(summary.id, output.Commit(std::move(manifest)));
  return summary;
}

}  // namespace pintle
