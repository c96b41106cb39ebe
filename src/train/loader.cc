#include "train/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <deque>

#include "base/json.h"
#include "base/rng.h"
#include "formats/manifest.h"
#include "formats/shard.h"
#include "text/pretokenizer.h"

namespace pintle {
namespace {

constexpr int32_t kNotScored = -100;
constexpr int64_t kMinFimTokens = 16;  // a shorter part stays as it is

// A rate as a threshold for 32 random bits: exact for 0 and 1.
uint64_t Threshold(double rate) { return static_cast<uint64_t>(rate * 4294967296.0); }

// Files that are read as one document: `count` documents of a shard from `first` on.
struct Segment {
  uint32_t shard = 0, first = 0, count = 0;
};

// One of the streams that rows are taken from in turn: the segment it is in, and where.
struct Lane {
  int64_t segment = -1;  // -1: the next one of the order is to be taken
  int64_t epoch = 0;     // in which it was taken
  int64_t file = 0;      // within the segment
  int64_t offset = 0;    // slot within the file: 0 is its opening token
  int64_t part = 0;      // parts of the segment begun so far: the index of the random numbers
};

// Where the next row begins; always at a row boundary.
struct Position {
  int64_t epoch = 0;    // of the order that segments are taken from
  int64_t segment = 0;  // first place in the order that is not taken
  int64_t slots = 0;    // used so far, over all epochs
  int64_t lane = 0;     // that the next row is taken from
  std::vector<Lane> lanes;
};

struct Row {
  std::vector<int32_t> ids, targets, document, position;
  int64_t scored = 0, bytes = 0;
  Position after;

  [[nodiscard]] int64_t size() const { return static_cast<int64_t>(ids.size()); }
};

class ShardLoader : public Loader {
 public:
  ShardLoader(std::shared_ptr<const Tokenizer> tokenizer, const LoaderConfig& config)
      : config_(config), tokenizer_(std::move(tokenizer)), encoder_(*tokenizer_) {}

  Status Init(const std::filesystem::path& folder) {
    PINTLE_ASSIGN(const Manifest manifest, ReadManifest(folder));
    shards_id_ = manifest.Id();
    PINTLE_RETURN_IF_ERROR(CheckConfig());
    const std::vector<std::filesystem::path> paths = ShardPaths(folder, config_.split);
    for (const auto& path : paths) {
      PINTLE_ASSIGN(ShardReader shard, ShardReader::Open(path));
      PINTLE_RETURN_IF_ERROR(shard.Verify());
      if (shard.tokenizer_hash() != tokenizer_->hash()) {
        return ValidationError("the shard was made with another tokenizer", path.string(), "run m31r shard again");
      }
      const auto documents = shard.documents();
      for (uint32_t i = 0; i < documents.size(); ++i) {
        if (i > 0 && (documents[i].flags & kShardContinues) != 0) {
          ++segments_.back().count;
        } else {
          segments_.push_back({static_cast<uint32_t>(shards_.size()), i, 1});
        }
        slots_per_epoch_ += documents[i].token_count + 1;
      }
      shards_.push_back(std::move(shard));
    }
    if (segments_.empty()) {
      return ValidationError(fmt::format("split {} holds no document", config_.split), folder.string(),
                             "a larger corpus, or another share for this split in m31r dataset");
    }
    for (int32_t id = 0; id < tokenizer_->vocab_size(); ++id) {
      token_bytes_.push_back(tokenizer_->IsSpecial(id) ? 0 : static_cast<int32_t>(tokenizer_->TokenBytes(id).size()));
    }
    next_.lanes.resize(static_cast<size_t>(config_.shuffle ? config_.lanes : 1));
    Shuffle();
    handed_ = next_;
    return {};
  }

  Result<bool> Next(TokenBatch& batch) override {
    Fill(config_.batch);
    last_targets_ = last_bytes_ = 0;
    if (rows_.empty()) return false;
    batch.batch = config_.batch;
    batch.time = config_.time;
    for (auto* field : {&batch.ids, &batch.targets, &batch.document, &batch.position}) field->clear();
    for (int64_t i = 0; i < config_.batch; ++i) {
      Row row;
      if (rows_.empty()) {  // behind the end
        row.after = handed_;
        Pad(row);
      } else {
        row = std::move(rows_.front());
        rows_.pop_front();
      }
      batch.ids.insert(batch.ids.end(), row.ids.begin(), row.ids.end());
      batch.targets.insert(batch.targets.end(), row.targets.begin(), row.targets.end());
      batch.document.insert(batch.document.end(), row.document.begin(), row.document.end());
      batch.position.insert(batch.position.end(), row.position.begin(), row.position.end());
      last_targets_ += row.scored;
      last_bytes_ += row.bytes;
      handed_ = row.after;
    }
    return true;
  }

  Result<int64_t> CountTargets(int64_t micro_batches) override {
    Fill(micro_batches * config_.batch);
    int64_t targets = 0;
    for (size_t i = 0; i < rows_.size() && i < static_cast<size_t>(micro_batches * config_.batch); ++i) {
      targets += rows_[i].scored;
    }
    return targets;
  }

  int64_t last_targets() const override { return last_targets_; }
  int64_t last_bytes() const override { return last_bytes_; }
  int64_t tokens_per_epoch() const override { return slots_per_epoch_; }
  int64_t epoch() const override { return handed_.slots / slots_per_epoch_; }
  double epoch_progress() const override {
    return static_cast<double>(handed_.slots % slots_per_epoch_) / static_cast<double>(slots_per_epoch_);
  }

  boost::json::object State() const override {
    boost::json::object state = Identity();
    state["epoch"] = handed_.epoch;
    state["segment"] = handed_.segment;
    state["slots"] = handed_.slots;
    state["lane"] = handed_.lane;
    boost::json::array lanes;
    for (const Lane& lane : handed_.lanes) {
      lanes.push_back(boost::json::array{lane.segment, lane.epoch, lane.file, lane.offset, lane.part});
    }
    state["places"] = lanes;
    return state;
  }

  Status Restore(const boost::json::object& state) override {
    const std::string where = "data position of the checkpoint";
    for (const auto& [key, value] : Identity()) {
      const auto* saved = state.if_contains(key);
      if (saved == nullptr || DumpJson(*saved) != DumpJson(value)) {
        return ValidationError(fmt::format("{} is {} there and {} now", std::string_view(key),
                                           saved == nullptr ? "missing" : DumpJson(*saved), DumpJson(value)),
                               where, "a run can only go on with the data and settings it was begun with");
      }
    }
    Position position;
    const std::pair<const char*, int64_t*> fields[] = {{"epoch", &position.epoch},
                                                       {"segment", &position.segment},
                                                       {"slots", &position.slots},
                                                       {"lane", &position.lane}};
    for (const auto& [key, field] : fields) {
      PINTLE_ASSIGN(*field, JsonInt(state, key, where));
      if (*field < 0 || *field > int64_t{1} << 48)
        return ValidationError(fmt::format("{} is out of range", key), where);
    }
    const auto segments = static_cast<int64_t>(segments_.size());
    const auto count = static_cast<int64_t>(next_.lanes.size());
    const auto* places = state.if_contains("places");
    const Error outside = ValidationError("the position lies outside of the data", where);
    if (places == nullptr || !places->is_array() || position.segment > segments || position.lane >= count ||
        static_cast<int64_t>(places->get_array().size()) != count) {
      return outside;
    }
    for (const auto& place : places->get_array()) {
      if (!place.is_array() || place.get_array().size() != 5) return outside;
      int64_t values[5];
      for (size_t i = 0; i < 5; ++i) {
        if (!place.get_array()[i].is_int64()) return outside;
        values[i] = place.get_array()[i].get_int64();
        if (values[i] < (i == 0 ? -1 : 0) || values[i] > int64_t{1} << 48) return outside;
      }
      const Lane lane{values[0], values[1], values[2], values[3], values[4]};
      if (lane.segment >= segments ||
          (lane.segment >= 0 && (lane.file >= SegmentOf(lane).count || lane.offset > File(lane).token_count))) {
        return outside;
      }
      position.lanes.push_back(lane);
    }
    next_ = std::move(position);
    Shuffle();
    rows_.clear();
    handed_ = next_;
    return {};
  }

 private:
  Status CheckConfig() {
    if (config_.batch < 1 || config_.time < 2 || config_.epochs < 0 || config_.lanes < 1 ||
        !(config_.fim_rate >= 0 && config_.fim_rate <= 1) || !(config_.spm_rate >= 0 && config_.spm_rate <= 1)) {
      return UsageError("a loader needs batch >= 1, time >= 2, lanes >= 1 and rates between 0 and 1");
    }
    for (const auto& [name, id] : {std::pair{special::kEndOfText, &end_of_text_},
                                   {special::kFileSep, &file_sep_},
                                   {special::kFimPrefix, &fim_prefix_},
                                   {special::kFimMiddle, &fim_middle_},
                                   {special::kFimSuffix, &fim_suffix_}}) {
      *id = tokenizer_->SpecialId(name);
      if (*id < 0) return ValidationError(fmt::format("the tokenizer has no {}", name));
    }
    fim_threshold_ = Threshold(config_.fim_rate);
    spm_threshold_ = Threshold(config_.spm_rate);
    return {};
  }

  // What must be the same for a position to mean the same.
  boost::json::object Identity() const {
    return {{"shards", shards_id_},       {"split", config_.split},       {"seed", config_.seed},
            {"time", config_.time},       {"fim_rate", config_.fim_rate}, {"spm_rate", config_.spm_rate},
            {"shuffle", config_.shuffle}, {"lanes", next_.lanes.size()}};
  }

  // The order of epoch next_.epoch: Fisher and Yates over the segments.
  void Shuffle() {
    order_.resize(segments_.size());
    for (uint32_t i = 0; i < order_.size(); ++i) order_[i] = i;
    if (!config_.shuffle) return;
    RandomStream random(config_.seed, Purpose::kShuffle, static_cast<uint64_t>(next_.epoch));
    for (size_t i = order_.size(); i > 1; --i)
      std::swap(order_[i - 1], order_[random.NextBelow(static_cast<uint32_t>(i))]);
  }

  const Segment& SegmentOf(const Lane& lane) const { return segments_[static_cast<size_t>(lane.segment)]; }
  const ShardReader& ShardOf(const Lane& lane) const { return shards_[SegmentOf(lane).shard]; }
  const ShardDocument& File(const Lane& lane) const {
    return ShardOf(lane).documents()[SegmentOf(lane).first + static_cast<size_t>(lane.file)];
  }

  // True if the lane stands at a slot, of a new segment if need be; false when the epochs are over.
  bool HasSlot(Lane& lane) {
    if (lane.segment >= 0) return true;
    if (next_.segment == static_cast<int64_t>(segments_.size())) {
      if (config_.epochs != 0 && next_.epoch + 1 >= config_.epochs) return false;
      ++next_.epoch;
      next_.segment = 0;
      Shuffle();
    }
    lane = {.segment = order_[static_cast<size_t>(next_.segment++)], .epoch = next_.epoch};
    return true;
  }

  // Moves on by `slots` slots of the file; behind its last one to the next file or segment.
  void Advance(Lane& lane, int64_t slots) {
    lane.offset += slots;
    next_.slots += slots;
    ++lane.part;
    if (lane.offset <= File(lane).token_count) return;
    lane.offset = 0;
    if (++lane.file == SegmentOf(lane).count) lane.segment = -1;
  }

  void Fill(int64_t rows) {
    while (static_cast<int64_t>(rows_.size()) < rows) {
      // Towards the end of the data some lanes run dry before others.
      const auto lanes = static_cast<int64_t>(next_.lanes.size());
      int64_t dry = 0;
      while (dry < lanes && !HasSlot(next_.lanes[static_cast<size_t>(next_.lane)])) {
        next_.lane = (next_.lane + 1) % lanes;
        ++dry;
      }
      if (dry == lanes) return;
      rows_.push_back(MakeRow());
    }
  }

  Row MakeRow() {
    Row row;
    Lane& lane = next_.lanes[static_cast<size_t>(next_.lane)];
    document_ = -1;
    bool fresh = true;  // the next slot begins a document of its own
    while (row.size() < config_.time && HasSlot(lane)) {
      if (fresh || (lane.file == 0 && lane.offset == 0)) NewDocument();
      const auto words = RandomBlock(config_.seed, Purpose::kFim,
                                     static_cast<uint64_t>(lane.epoch) << 32 | static_cast<uint64_t>(lane.segment),
                                     static_cast<uint32_t>(lane.part));
      if (words[0] < fim_threshold_ && AddRearranged(row, lane, words)) {
        fresh = true;
        if (lane.offset != 0) break;  // the part filled the row but for the slots that re-encoding saved
      } else {
        AddPlain(row, lane);
        fresh = false;
      }
    }
    Pad(row);
    next_.lane = (next_.lane + 1) % static_cast<int64_t>(next_.lanes.size());
    row.after = next_;
    return row;
  }

  void NewDocument() {
    ++document_;
    position_ = 0;
  }

  void AddSlot(Row& row, int32_t id, int32_t target) {
    row.ids.push_back(id);
    row.targets.push_back(target);
    row.document.push_back(document_);
    row.position.push_back(position_++);
    if (target == kNotScored) return;
    ++row.scored;
    row.bytes += token_bytes_[static_cast<size_t>(target)];
  }

  void Pad(Row& row) {
    if (row.size() == config_.time) return;
    document_ = row.document.empty() ? -1 : row.document.back();
    NewDocument();
    while (row.size() < config_.time) AddSlot(row, end_of_text_, kNotScored);
  }

  int32_t TokenOf(const Lane& lane, const ShardDocument& file, int64_t index) const {
    return static_cast<int32_t>(ShardOf(lane).Token(file.token_begin + static_cast<uint64_t>(index)));
  }

  // Slot `offset` of the file: its opening token or token offset - 1, and the token behind it.
  void AddFileSlot(Row& row, const Lane& lane, const ShardDocument& file, int64_t offset) {
    const int32_t opening = lane.file == 0 ? end_of_text_ : file_sep_;
    const int32_t id = offset == 0 ? opening : TokenOf(lane, file, offset - 1);
    const int32_t target = offset < file.path_tokens   ? kNotScored
                           : offset < file.token_count ? TokenOf(lane, file, offset)
                                                       : end_of_text_;
    AddSlot(row, id, target);
  }

  void AddPlain(Row& row, Lane& lane) {
    const ShardDocument& file = File(lane);
    const int64_t count = std::min(config_.time - row.size(), int64_t{file.token_count} + 1 - lane.offset);
    for (int64_t i = 0; i < count; ++i) AddFileSlot(row, lane, file, lane.offset + i);
    Advance(lane, count);
  }

  // The rest of the file, or what of it fits into the row, with its middle at the end. False if that is too little.
  bool AddRearranged(Row& row, Lane& lane, const std::array<uint32_t, 4>& words) {
    const ShardDocument& file = File(lane);
    const int64_t path_tokens = file.path_tokens;
    // Slots of a chained file's opening and path that are still to come stay as they are.
    const int64_t header = lane.file == 0 ? 0 : std::max<int64_t>(path_tokens + 1 - lane.offset, 0);
    const int64_t begin = std::max(lane.offset - 1, path_tokens);  // first token that is rearranged
    const int64_t room = config_.time - row.size() - header - 3;   // three sentinels
    int64_t take = std::min(file.token_count - begin, room);
    while (true) {
      if (take < kMinFimTokens) return false;
      source_.clear();
      ShardOf(lane).Read(file.token_begin + static_cast<uint64_t>(begin), static_cast<uint64_t>(take), source_);
      Cut(tokenizer_->Decode(source_), words);
      const auto size = static_cast<int64_t>(prefix_.size() + middle_.size() + suffix_.size());
      if (size <= room) break;
      take -= size - room;
    }
    for (int64_t i = 0; i < header; ++i) AddFileSlot(row, lane, file, lane.offset + i);
    if (header > 0) Unscore(row);  // that a rearranged text follows is no prediction
    const bool spm = words[1] < spm_threshold_;
    sequence_.assign(1, fim_prefix_);
    const auto append = [&](const std::vector<int32_t>& ids) {
      sequence_.insert(sequence_.end(), ids.begin(), ids.end());
    };
    if (!spm) append(prefix_);
    sequence_.push_back(fim_suffix_);
    append(suffix_);
    sequence_.push_back(fim_middle_);
    if (spm) append(prefix_);
    append(middle_);
    for (size_t i = 0; i < sequence_.size(); ++i) {
      AddSlot(row, sequence_[i], i + 1 < sequence_.size() ? sequence_[i + 1] : end_of_text_);
    }
    // A part that ends inside the file leaves slot begin + take, whose token is the first of the rest.
    Advance(lane, begin + take + 1 - lane.offset);
    return true;
  }

  void Unscore(Row& row) const {
    int32_t& target = row.targets.back();
    if (target == kNotScored) return;
    --row.scored;
    row.bytes -= token_bytes_[static_cast<size_t>(target)];
    target = kNotScored;
  }

  // Two cuts on character boundaries of `text` into prefix_, middle_ and suffix_.
  void Cut(const std::string& text, const std::array<uint32_t, 4>& words) {
    const auto cut = [&](uint32_t word) {
      size_t at = UniformBelow(word, static_cast<uint32_t>(text.size() + 1));
      for (int back = 0; back < 3 && at > 0 && at < text.size() && (text[at] & 0xC0) == 0x80; ++back) --at;
      return at;
    };
    size_t first = cut(words[2]), second = cut(words[3]);
    if (first > second) std::swap(first, second);
    const std::string_view view = text;
    prefix_.clear();
    middle_.clear();
    suffix_.clear();
    encoder_.Encode(view.substr(0, first), prefix_);
    encoder_.Encode(view.substr(first, second - first), middle_);
    encoder_.Encode(view.substr(second), suffix_);
  }

  LoaderConfig config_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  Encoder encoder_;
  std::string shards_id_;
  std::vector<ShardReader> shards_;
  std::vector<Segment> segments_;
  std::vector<uint32_t> order_;
  std::vector<int32_t> token_bytes_;
  int64_t slots_per_epoch_ = 0;
  uint64_t fim_threshold_ = 0, spm_threshold_ = 0;
  int32_t end_of_text_ = -1, file_sep_ = -1, fim_prefix_ = -1, fim_middle_ = -1, fim_suffix_ = -1;

  Position next_, handed_;  // behind the last row made, behind the last row handed out
  std::deque<Row> rows_;    // made and not handed out
  int64_t last_targets_ = 0, last_bytes_ = 0;
  int32_t document_ = -1, position_ = 0;  // of the row being made
  std::vector<int32_t> source_, prefix_, middle_, suffix_, sequence_;
};

}  // namespace

Result<std::unique_ptr<Loader>> Loader::Open(const std::filesystem::path& folder,
                                             std::shared_ptr<const Tokenizer> tokenizer, const LoaderConfig& config) {
  auto loader = std::make_unique<ShardLoader>(std::move(tokenizer), config);
  PINTLE_RETURN_IF_ERROR(loader->Init(folder));
  return std::unique_ptr<Loader>(std::move(loader));
}

}  // namespace pintle
