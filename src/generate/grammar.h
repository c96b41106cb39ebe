// A grammar over bytes as a pushdown automaton: what a constrained answer may look like. Rules call rules; a rule is a
// graph of states that consume a byte, fork, call, or return. Front ends build it (json_grammar.h, gbnf.h),
// constraint.h walks it token by token. Not here: text of any syntax; answers.
// Source: Thompson 1968 for the graphs inside a rule; calls make of it the automaton of a context-free grammar.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pintle {

/// One state. kByte: consumes a byte of [low, high], then `next`. kSplit: goes on as `next` and as `other`. kCall: a
/// rule that starts with `other`, then `next`. kReturn: the rule is over.
struct GrammarState {
  enum class Kind : uint8_t { kReturn, kByte, kSplit, kCall };
  Kind kind = Kind::kReturn;
  uint8_t low = 0, high = 0;
  int32_t next = 0, other = 0;
  int32_t need = 0;  ///< fewest nested calls with which the rule can still be finished from here
};

/// Immutable; safe from any number of threads. Some text matches it with calls nested at most max_depth() deep.
class Grammar {
 public:
  [[nodiscard]] const GrammarState& state(int32_t id) const { return states_[static_cast<size_t>(id)]; }
  [[nodiscard]] int32_t start() const { return start_; }
  [[nodiscard]] int32_t max_depth() const { return max_depth_; }
  [[nodiscard]] size_t size() const { return states_.size(); }

 private:
  friend class GrammarBuilder;
  std::vector<GrammarState> states_;
  int32_t start_ = 0, max_depth_ = 0;
};

/// Builds from back to front: each state is made with the one that comes after it. A call whose next state is kReturn
/// takes no room on the stack, so lists that are written by recursion at their end may be of any length.
class GrammarBuilder {
 public:
  static constexpr int32_t kReturn = 0;          ///< the state in which a rule ends
  static constexpr int32_t kForever = -1;        ///< no upper limit for Repeat
  static constexpr size_t kMaxStates = 1 << 18;  ///< beyond it nothing is added any more, and Build fails

  GrammarBuilder() : states_(1) {}

  /// A rule that may be called at once and is defined later.
  int32_t AddRule(std::string name);
  void Define(int32_t rule, int32_t start) { rules_[static_cast<size_t>(rule)].start = start; }

  int32_t Byte(uint8_t low, uint8_t high, int32_t next);
  int32_t Literal(std::string_view bytes, int32_t next);
  /// One character of the given ranges of code points, in UTF-8; surrogates are left out. No range: matches nothing.
  int32_t Character(std::span<const std::pair<uint32_t, uint32_t>> ranges, int32_t next);
  int32_t Either(int32_t one, int32_t other);
  int32_t Call(int32_t rule, int32_t next);
  /// `rule` from `min` to `max` times (or kForever).
  int32_t Repeat(int32_t rule, int64_t min, int64_t max, int32_t next);
  /// Whatever text, up to the first `literal` and with it, then `next`; with `may_end` the rule may also end before it.
  int32_t TextUntil(std::string_view literal, bool may_end, int32_t next);
  /// A state that becomes another one later: for loops.
  int32_t Hole() { return Either(kReturn, kReturn); }
  void Fill(int32_t hole, int32_t state);
  [[nodiscard]] bool full() const { return states_.size() >= kMaxStates; }

  /// The automaton that begins with `rule`. Errors: more than kMaxStates states; a rule that begins with itself (left
  /// recursion); no finite text matches with at most `max_depth` nested calls. The builder is used up.
  Result<std::shared_ptr<const Grammar>> Build(int32_t rule, int32_t max_depth);

 private:
  struct Rule {
    std::string name;
    int32_t start = kReturn;
  };
  int32_t Add(GrammarState state);
  [[nodiscard]] std::vector<std::vector<int32_t>> Before() const;
  [[nodiscard]] std::vector<uint8_t> Nullable(const std::vector<std::vector<int32_t>>& before) const;
  [[nodiscard]] Status CheckLeftRecursion(const std::vector<uint8_t>& nullable) const;
  void ComputeNeeds(const std::vector<std::vector<int32_t>>& before, int32_t max_depth);

  std::vector<GrammarState> states_;  // calls hold the rule in `other` until Build
  std::vector<Rule> rules_;
};

}  // namespace pintle
