#include "corpus/shard_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "corpus/dependency_order.h"
#include "corpus/line_batches.h"
#include "formats/manifest.h"
#include "formats/shard.h"
#include "text/rust/outline.h"
#include "text/tokenizer.h"

namespace pintle {
namespace {

constexpr char kStage[] = "shard";
constexpr char kByDependency[] = "dependency";

// What is kept of a document while its tokens wait in the spool; document i is dataset line i.
struct Document {
  uint32_t group = 0;
  uint32_t bytes = 0;
  CrateFile file;
};

// What one thread makes of one line.
struct Encoded {
  Status status;
  std::string group;  // source, crate and version
  std::string crate;
  Document document;
  std::vector<int32_t> ids;
};

Status EncodeLine(const std::string& line, const std::string& where, bool outline, Encoder& encoder, Encoded& out) {
  PINTLE_ASSIGN(const auto record, ParseJson(line, where));
  PINTLE_ASSIGN(const std::string text, JsonString(record, "text", where));
  PINTLE_ASSIGN(const std::string source, JsonString(record, "source", where));
  PINTLE_ASSIGN(const std::string version, JsonString(record, "version", where));
  PINTLE_ASSIGN(out.crate, JsonString(record, "crate", where));
  PINTLE_ASSIGN(out.document.file.path, JsonString(record, "path", where));
  if (text.size() > UINT32_MAX) return ValidationError("a document of more than 4 GiB", where);
  // Files outside of any crate belong together by their folder.
  const std::string& path = out.document.file.path;
  out.group = source + '\0' + (out.crate.empty() ? path.substr(0, path.rfind('/') + 1) : out.crate) + '\0' + version;
  out.document.bytes = static_cast<uint32_t>(text.size());
  encoder.Encode(text, out.ids);
  if (!outline) return {};
  const rust::Outline syntax = rust::OutlineRust(text);
  for (const auto& module : syntax.module_files)
    out.document.file.modules.push_back({module.name, module.path_attribute});
  for (const auto& use : syntax.uses) out.document.file.uses.push_back(use.path);
  return {};
}

// One split of the dataset on its way into shards.
class SplitSharder {
 public:
  SplitSharder(const std::filesystem::path& folder, const std::string& split, const ShardConfig& config,
               const Tokenizer& tokenizer)
      : folder_(folder), split_(split), config_(config), tokenizer_(tokenizer) {}

  Result<ShardSplit> Run(const std::filesystem::path& dataset, ThreadPool& pool) {
    const std::filesystem::path spool = folder_ / "spool.tmp";
    PINTLE_RETURN_IF_ERROR(Spool(dataset, spool, pool));
    {
      PINTLE_ASSIGN(const ShardReader tokens, ShardReader::Open(spool));
      PINTLE_RETURN_IF_ERROR(WriteShards(tokens));
    }
    PINTLE_RETURN_IF_ERROR(RemoveAll(spool));
    return counts_;
  }

 private:
  // Encodes every document in the order of the dataset.
  Status Spool(const std::filesystem::path& dataset, const std::filesystem::path& spool, ThreadPool& pool) {
    PINTLE_ASSIGN(ShardWriter writer, NewShard(spool));
    PINTLE_ASSIGN(LineBatches batches, LineBatches::Open(dataset));
    std::vector<Encoder> encoders;
    for (int i = 0; i < pool.threads(); ++i) encoders.emplace_back(tokenizer_);
    std::map<std::string, uint32_t> groups;
    Progress progress("encoding " + split_, "bytes", 0);
    while (true) {
      PINTLE_ASSIGN(const bool more, batches.Next());
      if (!more) break;
      std::vector<Encoded> encoded(batches.lines().size());
      pool.ParallelForWithThread(static_cast<int64_t>(encoded.size()), [&](int64_t i, int thread) {
        const auto index = static_cast<size_t>(i);
        encoded[index].status =
            EncodeLine(batches.lines()[index], batches.Where(index), config_.repository_context == kByDependency,
                       encoders[static_cast<size_t>(thread)], encoded[index]);
      });
      for (Encoded& one : encoded) {
        PINTLE_RETURN_IF_ERROR(one.status);
        const auto [group, fresh] = groups.emplace(one.group, static_cast<uint32_t>(groups.size()));
        if (fresh) crates_.push_back(one.crate);
        one.document.group = group->second;
        PINTLE_RETURN_IF_ERROR(writer.Add(one.ids, {}));
        counts_.bytes += one.document.bytes;
        documents_.push_back(std::move(one.document));
      }
      progress.Update(static_cast<double>(counts_.bytes));
      if (Interrupted()) return RuntimeError("interrupted");
    }
    counts_.crates = static_cast<int64_t>(groups.size());
    return writer.Finish();
  }

  Result<ShardWriter> NewShard(const std::filesystem::path& path) const {
    return ShardWriter::Create(path, static_cast<uint32_t>(tokenizer_.vocab_size()), tokenizer_.hash());
  }

  // Crates in the order of their first document; inside a crate by dependency; else the order of the dataset.
  Status WriteShards(const ShardReader& spool) {
    if (config_.repository_context != kByDependency) {
      for (uint32_t i = 0; i < documents_.size(); ++i) PINTLE_RETURN_IF_ERROR(Write(spool, i, ""));
      return Close();
    }
    std::vector<std::vector<uint32_t>> members(crates_.size());
    for (uint32_t i = 0; i < documents_.size(); ++i) members[documents_[i].group].push_back(i);
    for (size_t group = 0; group < members.size(); ++group) {
      std::vector<CrateFile> files;
      for (const uint32_t i : members[group]) files.push_back(documents_[i].file);
      const size_t common = CommonFolder(files);
      segment_tokens_ = 0;
      for (const uint32_t k : DependencyOrder(files, crates_[group])) {
        PINTLE_RETURN_IF_ERROR(Write(spool, members[group][k], files[k].path.substr(common)));
      }
    }
    return Close();
  }

  // Length of the folder that all paths begin with, its '/' included.
  static size_t CommonFolder(const std::vector<CrateFile>& files) {
    std::string common = files[0].path;
    for (const CrateFile& file : files) {
      const auto end = std::mismatch(common.begin(), common.end(), file.path.begin(), file.path.end()).first;
      common.erase(end, common.end());
    }
    return common.rfind('/') + 1;
  }

  // `path` is empty without repository context.
  Status Write(const ShardReader& spool, uint32_t line, const std::string& path) {
    const ShardDocument& spooled = spool.documents()[line];
    ids_.clear();
    if (!path.empty()) tokenizer_.Encode(path + "\n", ids_);
    const auto path_tokens = static_cast<int64_t>(ids_.size());
    const bool continues = !path.empty() && segment_tokens_ > 0 &&
                           segment_tokens_ + 1 + path_tokens + spooled.token_count <= config_.segment_tokens;
    if (!continues) {
      ids_.clear();
      segment_tokens_ = 0;
      ++counts_.segments;
      const auto limit = static_cast<uint64_t>(config_.shard_megabytes) * 1'000'000;
      if (shard_ && shard_->token_bytes() >= limit) PINTLE_RETURN_IF_ERROR(Close());
    }
    if (!shard_) {
      PINTLE_ASSIGN(shard_, NewShard(folder_ / fmt::format("{}-{:05}.bin", split_, counts_.shards)));
      ++counts_.shards;
    }
    ShardDocument document;
    document.bytes = documents_[line].bytes;
    document.dataset_line = line;
    document.group = documents_[line].group;
    document.path_tokens = static_cast<uint32_t>(ids_.size());
    document.flags = continues ? kShardContinues : 0;
    spool.Read(spooled.token_begin, spooled.token_count, ids_);
    segment_tokens_ += static_cast<int64_t>(ids_.size()) + 1;
    counts_.tokens += static_cast<int64_t>(ids_.size());
    ++counts_.documents;
    return shard_->Add(ids_, document);
  }

  Status Close() {
    if (!shard_) return {};
    PINTLE_RETURN_IF_ERROR(shard_->Finish());
    shard_.reset();
    return {};
  }

  const std::filesystem::path folder_;
  const std::string split_;
  const ShardConfig& config_;
  const Tokenizer& tokenizer_;
  std::vector<Document> documents_;
  std::vector<std::string> crates_;  // by group
  ShardSplit counts_;
  std::optional<ShardWriter> shard_;
  int64_t segment_tokens_ = 0;  // of the open segment, separators included; 0: none is open
  std::vector<int32_t> ids_;
};

constexpr struct {
  const char* name;
  int64_t ShardSplit::* field;
} kCounts[] = {{"documents", &ShardSplit::documents}, {"tokens", &ShardSplit::tokens},
               {"bytes", &ShardSplit::bytes},         {"crates", &ShardSplit::crates},
               {"segments", &ShardSplit::segments},   {"shards", &ShardSplit::shards}};
constexpr const char* kSplits[] = {"train", "val", "test"};

}  // namespace

void ShardConfig::Visit(ConfigVisitor& v) {
  v.Section("shard");
  v.String("repository_context", repository_context, {kByDependency, "none"},
           "dependency: a crate's files together, used modules first; none: documents alone, in dataset order");
  v.Int("segment_tokens", segment_tokens, 1, int64_t{1} << 24,
        "files of a crate are chained up to this many tokens, so that attention reaches across them");
  v.Int("shard_megabytes", shard_megabytes, 1, 100000, "a new shard file is begun behind this size");
}

Result<ShardSummary> ShardStage(const std::filesystem::path& work, const ShardConfig& config, ThreadPool& pool) {
  ShardConfig settings = config;
  const std::string config_hash = ConfigHash([&](ConfigVisitor& v) { settings.Visit(v); });
  PINTLE_ASSIGN(const Manifest dataset, ReadManifest(work / "dataset"));
  PINTLE_ASSIGN(const Manifest tokenizer_manifest, ReadManifest(work / "tokenizer"));
  const std::map<std::string, std::string> inputs{{"dataset", dataset.Id()}, {"tokenizer", tokenizer_manifest.Id()}};
  const std::filesystem::path target = work / "shards";
  ShardSummary summary;
  if (UpToDate(target, kStage, config_hash, inputs)) {
    PINTLE_ASSIGN(const Manifest manifest, ReadManifest(target));
    summary.up_to_date = true;
    summary.id = manifest.Id();
    if (const auto hash = manifest.notes.find("tokenizer_hash"); hash != manifest.notes.end()) {
      summary.tokenizer_hash = hash->second;
    }
    for (const char* split : kSplits) {
      for (const auto& [name, field] : kCounts) {
        const auto count = manifest.counts.find(fmt::format("{}_{}", split, name));
        summary.splits[split].*field = count == manifest.counts.end() ? 0 : count->second;
      }
    }
    return summary;
  }

  PINTLE_ASSIGN(const Tokenizer tokenizer, Tokenizer::Load(work / "tokenizer"));
  PINTLE_ASSIGN(StageOutput output, StageOutput::Create(target));
  Manifest manifest;
  for (const char* split : kSplits) {
    SplitSharder sharder(output.folder(), split, config, tokenizer);
    PINTLE_ASSIGN(const ShardSplit counts, sharder.Run(work / "dataset" / fmt::format("{}.jsonl.zst", split), pool));
    for (const auto& [name, field] : kCounts) manifest.counts[fmt::format("{}_{}", split, name)] = counts.*field;
    summary.splits[split] = counts;
  }
  summary.tokenizer_hash = tokenizer.hash();
  manifest.stage = kStage;
  manifest.config_hash = config_hash;
  manifest.inputs = inputs;
  manifest.notes = {{"tokenizer_hash", tokenizer.hash()}};
  PINTLE_ASSIGN(summary.id, output.Commit(manifest));
  return summary;
}

}  // namespace pintle
