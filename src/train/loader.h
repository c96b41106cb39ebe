// The loader: shards in, packed micro-batches out. It stands between `m31r shard` and the training step.
//
// A row of `time` slots is filled with documents one after the other. A document of tokens t1..tn takes n + 1 slots:
//     ids      <|endoftext|>  t1  t2 ... tn
//     targets  t1             t2  t3 ... <|endoftext|>
// A document that does not fit goes on in the next row (position restarts at 0); every target is scored once. Where the
// shard stage chained files of a crate to a segment, the next file stands in the same document (attention sees the
// files before it): <|file_sep|> in the place of the first <|endoftext|>, then its path and a newline, which are not
// scored.
//
// With probability fim_rate the part of a file that falls into a row is rearranged on its bytes: two cuts on character
// boundaries, then, in the place of its tokens and the <|endoftext|> before them,
//     PSM  <|fim_prefix|> prefix <|fim_suffix|> suffix <|fim_middle|> middle          the last target is <|endoftext|>
//     SPM  <|fim_prefix|> <|fim_suffix|> suffix <|fim_middle|> prefix middle          the same
// Prefix, middle and suffix are encoded apart. A few slots that stay free behind a part that filled its row are
// padding: a document of their own, targets -100. Source: Bavarian et al. 2022 (arXiv 2207.14255), context level.
//
// Rows are taken from `lanes` streams in turn, each with its own documents, so that neighbouring rows (a step) come
// from many files even where files are much longer than a row.
//
// Every choice is a pure function of (seed, epoch, segment, part): no thread, no time. Rows do not depend on `batch`:
// four batches of one row are one batch of four.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "models/decoder/batch.h"
#include "text/tokenizer.h"

namespace pintle {

/// How rows are packed and rearranged.
struct LoaderConfig {
  int64_t batch = 1;   ///< rows a micro-batch
  int64_t time = 512;  ///< slots a row
  uint64_t seed = 0;
  std::string split = "train";  ///< train, val or test
  double fim_rate = 0;          ///< share of the parts of files in rows that are rearranged, 0 to 1
  double spm_rate = 0.5;        ///< share of SPM among those, the rest is PSM
  bool shuffle = true;          ///< a new order of segments each epoch; false: the order of the shards, one lane
  int64_t lanes = 32;           ///< streams that rows are taken from in turn
  int64_t epochs = 0;           ///< 0 = without end; else the data end after so many (validation: 1, shuffle off)
};

/// Reads mapped shards; memory: the order of an epoch (4 bytes a segment), the rows counted ahead, one encoder. One
/// thread.
class Loader {
 public:
  /// `folder` is WORK/shards. The tokenizer must be the one the shards were made with (its hash is compared).
  static Result<std::unique_ptr<Loader>> Open(const std::filesystem::path& folder,
                                              std::shared_ptr<const Tokenizer> tokenizer, const LoaderConfig& config);
  virtual ~Loader() = default;

  /// The next micro-batch; false (batch untouched) when the epochs are over. The last batch of an end is filled up with
  /// padding rows (targets -100).
  virtual Result<bool> Next(TokenBatch& batch) = 0;
  /// Scored targets of the next `micro_batches` batches together, which Next will then hand out: the divisor of a
  /// step's gradients, known before its first micro-batch. Batches beyond the end count 0.
  virtual Result<int64_t> CountTargets(int64_t micro_batches) = 0;
  /// Scored targets and the bytes of text they stand for (special tokens stand for 0 bytes) in the batch that Next gave
  /// last: bits per byte = nats / ln 2 / bytes.
  [[nodiscard]] virtual int64_t last_targets() const = 0;
  [[nodiscard]] virtual int64_t last_bytes() const = 0;

  /// Slots that one epoch of the split takes: its tokens and one more a document (what FIM adds apart).
  [[nodiscard]] virtual int64_t tokens_per_epoch() const = 0;
  /// Whole epochs of slots that the batches handed out have used, and the share of the one begun. (Lanes end their
  /// documents of one epoch while others have begun the next.)
  [[nodiscard]] virtual int64_t epoch() const = 0;
  [[nodiscard]] virtual double epoch_progress() const = 0;

  /// The place in the data after the last batch handed out, for checkpoints (batches counted ahead do not show).
  [[nodiscard]] virtual boost::json::object State() const = 0;
  /// Goes on exactly where State() was taken. Another dataset, seed, time, split or FIM rate is a validation error.
  virtual Status Restore(const boost::json::object& state) = 0;
};

}  // namespace pintle
