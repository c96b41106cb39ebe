// The ledger: one row for each path that the filter saw, with its fate, the rule, what was measured and the licence. A
// SQLite file, so that "why is this file not here?" is one query (`m31r why`). Rows are inserted in one fixed order:
// the same filter result gives the same bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "corpus/rules.h"

namespace pintle {

/// One path. Texts not known are empty.
struct LedgerRow {
  std::string source, path;
  std::string sha256;  ///< of the raw bytes
  uint64_t size = 0;   ///< of the raw bytes
  Rule rule = Rule::kKept;
  int64_t value = 0;
  std::string detail;
  std::string licence;        ///< the chosen branch, of a kept file or one rejected after the licence rule
  std::string licence_found;  ///< the whole expression
  std::string licence_from;   ///< the record that gave it
  std::string crate, version;
  int64_t keeper = 0;     ///< id of the row that stays in this one's place (duplicates), 0 = none; ids count from 1
  int64_t document = -1;  ///< line in documents.jsonl.zst
  uint32_t mails = 0;     ///< addresses replaced
};

/// Writes a new ledger.
class LedgerWriter {
 public:
  static Result<LedgerWriter> Create(const std::filesystem::path& path);
  LedgerWriter(LedgerWriter&&) noexcept;
  LedgerWriter& operator=(LedgerWriter&&) noexcept;
  ~LedgerWriter();
  /// Rows get the ids 1, 2, ... in the order of the calls.
  Status Add(const LedgerRow& row);
  /// Builds the index over paths and closes the file.
  Status Finish();

 private:
  LedgerWriter();
  struct State;
  std::unique_ptr<State> state_;
};

/// Reads a ledger. One thread.
class LedgerReader {
 public:
  static Result<LedgerReader> Open(const std::filesystem::path& path);
  LedgerReader(LedgerReader&&) noexcept;
  LedgerReader& operator=(LedgerReader&&) noexcept;
  ~LedgerReader();
  /// Rows whose path is `path`, or SOURCE/path, or ends in "/path"; at most `limit`, in the order of their ids.
  Result<std::vector<LedgerRow>> Find(const std::string& path, int limit) const;
  /// The row with this id (counted from 1).
  Result<std::optional<LedgerRow>> Row(int64_t id) const;
  /// Names of the crates that have kept files, in byte order.
  Result<std::vector<std::string>> KeptCrates() const;
  /// The row of a path of a source.
  Result<std::optional<LedgerRow>> OfPath(const std::string& source, const std::string& path) const;
  /// Paths that look like `path`: same file name, nearest first; at most `limit`.
  Result<std::vector<std::string>> Suggest(const std::string& path, int limit) const;

 private:
  LedgerReader();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pintle
