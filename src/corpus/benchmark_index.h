// What the evaluation asks, so that the corpus does not hold the answers: runs of words and function signatures of all
// tasks. A file that shares one goes out. Tasks are JSON lines with the keys id, prompt, tests, stub and canonical.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "corpus/minhash.h"
#include "text/rust/lexer.h"

namespace pintle {

/// Built once, then read by all threads.
class BenchmarkIndex {
 public:
  /// Reads all *.jsonl files of the folder in the order of their names. `words`: length of a window.
  static Result<BenchmarkIndex> Load(const std::filesystem::path& folder, int words);
  BenchmarkIndex() = default;

  void AddTask(const std::string& id, std::string_view prompt, const std::vector<std::string_view>& texts);
  /// An index without tasks that looks at windows of `words` words.
  explicit BenchmarkIndex(int words) : words_(words) {}

  /// How many windows and signatures a file shares with tasks, and the first such task.
  struct Hit {
    uint32_t count = 0;
    std::string task;
  };
  [[nodiscard]] Hit Look(std::string_view source, const std::vector<WordHash>& words,
                         const std::vector<rust::Token>& tokens) const;
  [[nodiscard]] size_t tasks() const { return ids_.size(); }
  /// SHA-256 over the names and contents of the files read; "" without a folder.
  [[nodiscard]] const std::string& id() const { return id_; }

 private:
  template <typename Visitor>
  void Windows(const std::vector<WordHash>& words, const Visitor& visit) const;
  template <typename Visitor>
  static void Signatures(std::string_view source, const std::vector<rust::Token>& tokens, const Visitor& visit);
  void Insert(uint64_t hash, uint32_t task);
  [[nodiscard]] const uint32_t* Find(uint64_t hash) const;

  int words_ = 13;
  std::string id_;
  std::vector<std::string> ids_;
  std::unordered_map<uint64_t, uint32_t> hashes_;
  std::vector<uint64_t> bits_ = std::vector<uint64_t>(1 << 14);  // 2^20 bits before the map: most files hit nothing
};

}  // namespace pintle
