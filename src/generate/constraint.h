// Which tokens may come next: one answer's way through a grammar. Tokens are looked at by their bytes, all at once: the
// vocabulary is a trie, and a walk over it leaves every subtree whose first bytes do not fit. The sets of automaton
// states on the way are remembered, so that inside a string, say, a step costs nothing.
//
// What may come is never empty: a state is entered only if its text can still be finished (Grammar's needs), and every
// byte is a token. The answers end when the value is complete. Not here: the choice (sampler.h).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "generate/grammar.h"
#include "generate/token_table.h"

namespace pintle {

/// The tokens of a vocabulary by their bytes. Immutable; safe from any number of threads.
class TokenTrie {
 public:
  /// Takes about 0.1 s and 10 MB for 150,000 tokens; nothing refers to `tokens` afterwards.
  explicit TokenTrie(const TokenTable& tokens);

  /// A byte of tokens. Nodes stand in preorder; the tokens that end with node i are
  /// tokens()[node[i].token .. node[i + 1].token).
  struct Node {
    int32_t skip = 0;  ///< the node behind this one's subtree
    int32_t token = 0;
    uint16_t depth = 0;  ///< 0: the first byte
    uint8_t byte = 0;
  };
  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }  ///< and one behind the last
  [[nodiscard]] const std::vector<int32_t>& tokens() const { return tokens_; }
  [[nodiscard]] const std::vector<int32_t>& ends() const { return ends_; }  ///< tokens that end answers
  [[nodiscard]] size_t words() const { return words_; }                     ///< of 64 bits, for a mask

 private:
  std::vector<Node> nodes_;
  std::vector<int32_t> tokens_, ends_;
  size_t words_;
};

/// One owner, one thread. Grammars so ambiguous that a text has more than about 10,000 readings at once are followed
/// along some of them only; what is allowed fits the grammar all the same.
class Constraint {
 public:
  Constraint(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTrie> trie);

  /// Bit i of the words: token i may come. Tokens that end answers may exactly when the text so far is complete. Valid
  /// until the next call.
  std::span<const uint64_t> Allowed();
  /// Goes on by the bytes of a token. False: they do not fit, and nothing changed.
  bool Take(std::string_view bytes);
  /// The text so far matches the grammar.
  [[nodiscard]] bool complete() const { return sets_[static_cast<size_t>(at_)].complete; }
  /// It does, and nothing can follow.
  [[nodiscard]] bool finished() const { return complete() && sets_[static_cast<size_t>(at_)].configs.empty(); }

 private:
  /// A byte state and the calls that wait for its rule: an index of frames_.
  struct Config {
    int32_t state = 0, stack = 0;
    auto operator<=>(const Config&) const = default;
  };
  /// Where the text may stand.
  struct Set {
    std::vector<Config> configs;  // sorted
    bool complete = false;
    std::array<int32_t, 256> next{};  // kUnknown, kDead or a set
    std::vector<uint64_t> mask;       // empty until asked for
  };
  struct Frame {
    int32_t state = 0, below = 0, depth = 0;
  };
  int32_t Close(const std::vector<Config>& from);
  int32_t Next(int32_t set, uint8_t byte);
  int32_t Intern(std::vector<Config> configs, bool complete);
  int32_t Push(int32_t state, int32_t stack);
  void Shrink();

  std::shared_ptr<const Grammar> grammar_;
  std::shared_ptr<const TokenTrie> trie_;
  std::vector<Set> sets_;
  std::map<std::pair<std::vector<Config>, bool>, int32_t> set_ids_;
  std::vector<Frame> frames_;  // 0: the bottom
  std::unordered_map<uint64_t, int32_t> frame_ids_;
  int64_t work_ = 0;  // states looked at while sets were closed
  int masks_ = 0;     // sets that have one
  int32_t at_ = 0;
};

}  // namespace pintle
