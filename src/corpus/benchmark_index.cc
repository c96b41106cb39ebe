#include "corpus/benchmark_index.h"

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"

namespace pintle {
namespace {

// A window of a task needs this many different words that are no numbers: runs of numbers, and lists of lists of them,
// occur everywhere.
constexpr size_t kMinNames = 6;
// A function name that says little (new, add, main) names no task.
constexpr size_t kMinNameLength = 6;

}  // namespace

// Rolling hash of each window of words_ words, with the index of its last word.
template <typename Visitor>
void BenchmarkIndex::Windows(const std::vector<WordHash>& words, const Visitor& visit) const {
  constexpr uint64_t kBase = 0x9e3779b97f4a7c15u;
  uint64_t lead = 1;
  for (int i = 1; i < words_; ++i) lead *= kBase;
  uint64_t hash = 0;
  const auto length = static_cast<size_t>(words_);
  for (size_t i = 0; i < words.size(); ++i) {
    if (i >= length) hash -= words[i - length].hash * lead;
    hash = hash * kBase + words[i].hash;
    if (i + 1 >= length) visit(hash, i);
  }
}

// Hash of "name ( tokens up to the body )" of each function whose name is telling and that has no self.
template <typename Visitor>
void BenchmarkIndex::Signatures(std::string_view source, const std::vector<rust::Token>& tokens, const Visitor& visit) {
  using rust::TokenKind;
  std::vector<WordHash> words;
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (tokens[i].keyword != rust::Keyword::kFn || tokens[i + 1].kind != TokenKind::kIdentifier) continue;
    const std::string_view name = tokens[i + 1].Text(source);
    if (name.size() < kMinNameLength) continue;
    uint64_t hash = 0;
    bool has_self = false;
    uint32_t parts = 0;
    for (size_t k = i + 1; k < tokens.size() && k < i + 200; ++k) {
      const rust::Token& token = tokens[k];
      if (token.kind == TokenKind::kOpenBrace || token.kind == TokenKind::kSemi || token.kind == TokenKind::kEnd) break;
      if (rust::IsComment(token.kind) || token.kind == TokenKind::kComma) continue;
      has_self |= token.keyword == rust::Keyword::kSelfLower;
      SplitWords(token.Text(source), words);
      const uint64_t part = words.empty() ? static_cast<uint64_t>(token.kind) + 1 : words[0].hash;
      hash = (hash ^ part) * 0xd6e8feb86659fd93u;
      hash ^= hash >> 29;
      ++parts;
    }
    // name ( parameter : type ) at least
    if (!has_self && parts >= 6) visit(hash);
  }
}

void BenchmarkIndex::Insert(uint64_t hash, uint32_t task) {
  hashes_.emplace(hash, task);
  const uint64_t bit = hash >> 44;
  bits_[bit / 64] |= uint64_t{1} << (bit % 64);
}

const uint32_t* BenchmarkIndex::Find(uint64_t hash) const {
  const uint64_t bit = hash >> 44;
  if ((bits_[bit / 64] >> (bit % 64) & 1) == 0) return nullptr;
  const auto found = hashes_.find(hash);
  return found == hashes_.end() ? nullptr : &found->second;
}

void BenchmarkIndex::AddTask(const std::string& id, std::string_view prompt,
                             const std::vector<std::string_view>& texts) {
  const auto task = static_cast<uint32_t>(ids_.size());
  ids_.push_back(id);
  std::vector<WordHash> words;
  std::vector<rust::Token> tokens;
  for (const std::string_view text : texts) {
    SplitWords(text, words);
    Windows(words, [&](uint64_t hash, size_t last) {
      std::set<uint64_t> names;
      for (size_t i = last + 1 - static_cast<size_t>(words_); i <= last; ++i) {
        if (!words[i].is_number) names.insert(words[i].hash);
      }
      if (names.size() >= std::min(kMinNames, static_cast<size_t>(words_))) Insert(hash, task);
    });
  }
  rust::LexRust(prompt, tokens);
  Signatures(prompt, tokens, [&](uint64_t hash) { Insert(hash, task); });
}

Result<BenchmarkIndex> BenchmarkIndex::Load(const std::filesystem::path& folder, int words) {
  BenchmarkIndex index(words);
  std::set<std::filesystem::path> files;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(folder, code)) {
    if (entry.path().extension() == ".jsonl") files.insert(entry.path());
  }
  if (code) return UsageError("cannot list the folder of tasks: " + code.message(), folder.string());
  if (files.empty()) return UsageError("no *.jsonl file with tasks", folder.string());
  Sha256 sha256;
  for (const auto& path : files) {
    PINTLE_ASSIGN(const std::string text, ReadFile(path, uint64_t{1} << 30));
    sha256.Update(path.filename().string() + "\n" + Sha256Hex(text) + "\n");
    size_t line_number = 0;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      const std::string where = path.string() + ":" + std::to_string(++line_number);
      if (end > begin) {
        PINTLE_ASSIGN(const auto task, ParseJson(std::string_view(text).substr(begin, end - begin), where));
        PINTLE_ASSIGN(const std::string id, JsonString(task, "id", where));
        std::vector<std::string> texts;
        for (const char* key : {"prompt", "tests", "stub", "canonical"}) {
          if (auto value = JsonString(task, key, where); value.ok()) texts.push_back(*std::move(value));
        }
        if (texts.empty()) return ValidationError("a task needs a prompt, tests, a stub or a canonical text", where);
        // The signatures: of the prompt, or of the stub where a task is a whole file.
        std::string declared;
        for (const char* key : {"prompt", "stub"}) {
          if (auto value = JsonString(task, key, where); value.ok()) declared += *value + "\n";
        }
        index.AddTask(id, declared, {texts.begin(), texts.end()});
      }
      begin = end + 1;
    }
  }
  index.id_ = ToHex(sha256.Finish());
  return index;
}

BenchmarkIndex::Hit BenchmarkIndex::Look(std::string_view source, const std::vector<WordHash>& words,
                                         const std::vector<rust::Token>& tokens) const {
  Hit hit;
  if (ids_.empty()) return hit;
  const auto look = [&](uint64_t hash) {
    const uint32_t* task = Find(hash);
    if (task == nullptr) return;
    if (hit.count++ == 0) hit.task = ids_[*task];
  };
  Windows(words, [&](uint64_t hash, size_t) { look(hash); });
  Signatures(source, tokens, look);
  return hit;
}

}  // namespace pintle
