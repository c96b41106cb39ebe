#include "generate/grammar.h"

#include <algorithm>
#include <array>

namespace pintle {
namespace {

using Kind = GrammarState::Kind;

constexpr int32_t kNever = 1 << 30;  // the need of states from which no rule ends

// The bytes of one code point.
std::string Utf8(uint32_t code) {
  const auto tail = [](uint32_t bits) { return static_cast<char>(0x80 | (bits & 63)); };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xC0 | code >> 6), tail(code)};
  if (code < 0x10000) return {static_cast<char>(0xE0 | code >> 12), tail(code >> 6), tail(code)};
  return {static_cast<char>(0xF0 | code >> 18), tail(code >> 12), tail(code >> 6), tail(code)};
}

// Calls emit(first, last) for parts of [low, high] whose encodings are one range for each byte.
template <typename Emit>
void SplitForUtf8(uint32_t low, uint32_t high, const Emit& emit) {
  constexpr std::array<uint32_t, 5> kEnds = {0x7F, 0x7FF, 0xD7FF, 0xFFFF, 0x10FFFF};
  high = std::min(high, kEnds.back());
  while (low <= high) {
    if (low >= 0xD800 && low <= 0xDFFF) {
      low = 0xE000;
      continue;
    }
    uint32_t end = std::min(high, *std::lower_bound(kEnds.begin(), kEnds.end(), low));
    // Where the last 6, 12, 18 bits do not run from all zeros to all ones, the bytes above them must be equal.
    for (uint32_t bits = 18; bits >= 6; bits -= 6) {
      const uint32_t mask = (1U << bits) - 1;
      if (low < 0x80 || low >> bits == end >> bits) continue;
      if ((low & mask) != 0) {
        end = low | mask;
      } else if ((end & mask) != mask) {
        end = (end & ~mask) - 1;
      }
    }
    emit(low, end);
    low = end + 1;
  }
}

}  // namespace

int32_t GrammarBuilder::Add(GrammarState state) {
  if (full()) return kReturn;
  states_.push_back(state);
  return static_cast<int32_t>(states_.size()) - 1;
}

int32_t GrammarBuilder::AddRule(std::string name) {
  rules_.push_back({std::move(name), kReturn});
  return static_cast<int32_t>(rules_.size()) - 1;
}

int32_t GrammarBuilder::Byte(uint8_t low, uint8_t high, int32_t next) { return Add({Kind::kByte, low, high, next}); }

int32_t GrammarBuilder::Literal(std::string_view bytes, int32_t next) {
  for (size_t i = bytes.size(); i-- > 0;) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    next = Byte(byte, byte, next);
  }
  return next;
}

int32_t GrammarBuilder::Character(std::span<const std::pair<uint32_t, uint32_t>> ranges, int32_t next) {
  int32_t all = kReturn;
  for (const auto& [low, high] : ranges) {
    SplitForUtf8(low, high, [&](uint32_t first, uint32_t last) {
      const std::string from = Utf8(first), to = Utf8(last);
      int32_t one = next;
      for (size_t i = from.size(); i-- > 0;) {
        one = Byte(static_cast<uint8_t>(from[i]), static_cast<uint8_t>(to[i]), one);
      }
      all = all == kReturn ? one : Either(one, all);
    });
  }
  return all == kReturn ? Byte(1, 0, next) : all;
}

int32_t GrammarBuilder::Either(int32_t one, int32_t other) { return Add({Kind::kSplit, 0, 0, one, other}); }

int32_t GrammarBuilder::Call(int32_t rule, int32_t next) { return Add({Kind::kCall, 0, 0, next, rule}); }

int32_t GrammarBuilder::Repeat(int32_t rule, int64_t min, int64_t max, int32_t next) {
  int32_t first = next;
  if (max == kForever) {
    first = Hole();
    Fill(first, Either(Call(rule, first), next));
  }
  for (int64_t i = min; i < max && !full(); ++i) first = Either(Call(rule, first), next);
  for (int64_t i = 0; i < min && !full(); ++i) first = Call(rule, first);
  return first;
}

// The automaton of Knuth, Morris and Pratt: state i has seen the first i bytes of the literal.
int32_t GrammarBuilder::TextUntil(std::string_view literal, bool may_end, int32_t next) {
  const size_t size = literal.size();
  std::vector<int32_t> seen(size + 1, next);
  for (size_t i = 0; i < size; ++i) seen[i] = Hole();
  std::vector<std::array<size_t, 256>> go(size);
  size_t fallback = 0;  // the state after literal[1 .. i)
  for (size_t i = 0; i < size; ++i) {
    if (i > 0) go[i] = go[fallback];
    const auto byte = static_cast<uint8_t>(literal[i]);
    go[i][byte] = i + 1;
    if (i > 0) fallback = go[fallback][byte];
    int32_t all = may_end ? kReturn : -1;
    for (int low = 0; low < 256;) {
      const size_t to = go[i][static_cast<size_t>(low)];
      int high = low;
      while (high < 255 && go[i][static_cast<size_t>(high) + 1] == to) ++high;
      const int32_t one = Byte(static_cast<uint8_t>(low), static_cast<uint8_t>(high), seen[to]);
      all = all < 0 ? one : Either(one, all);
      low = high + 1;
    }
    Fill(seen[i], all);
  }
  return seen[0];
}

void GrammarBuilder::Fill(int32_t hole, int32_t state) {
  if (hole == kReturn) return;
  states_[static_cast<size_t>(hole)].next = states_[static_cast<size_t>(hole)].other = state;
}

// The states that look at each state.
std::vector<std::vector<int32_t>> GrammarBuilder::Before() const {
  std::vector<std::vector<int32_t>> before(states_.size());
  for (size_t i = 1; i < states_.size(); ++i) {
    const GrammarState& state = states_[i];
    before[static_cast<size_t>(state.next)].push_back(static_cast<int32_t>(i));
    if (state.kind != Kind::kByte && state.other != state.next) {
      before[static_cast<size_t>(state.other)].push_back(static_cast<int32_t>(i));
    }
  }
  return before;
}

// Of each state whether its rule can end from it without a byte.
std::vector<uint8_t> GrammarBuilder::Nullable(const std::vector<std::vector<int32_t>>& before) const {
  std::vector<uint8_t> nullable(states_.size());
  nullable[kReturn] = 1;
  std::vector<int32_t> open = {kReturn};
  const auto is = [&](int32_t id) { return nullable[static_cast<size_t>(id)] != 0; };
  while (!open.empty()) {
    const int32_t id = open.back();
    open.pop_back();
    for (const int32_t earlier : before[static_cast<size_t>(id)]) {
      const GrammarState& state = states_[static_cast<size_t>(earlier)];
      if (is(earlier) || state.kind == Kind::kByte) continue;
      if (state.kind == Kind::kCall && !(is(state.next) && is(state.other))) continue;
      nullable[static_cast<size_t>(earlier)] = 1;
      open.push_back(earlier);
    }
  }
  return nullable;
}

// Which rules can a rule begin with? There must be no circle. Rules are known by their first states here.
Status GrammarBuilder::CheckLeftRecursion(const std::vector<uint8_t>& nullable) const {
  std::vector<std::vector<int32_t>> begins(states_.size());
  std::vector<int32_t> entered(states_.size()), visited(states_.size(), -1), open;
  for (const Rule& rule : rules_) {
    const auto visit = [&](int32_t id) {
      if (std::exchange(visited[static_cast<size_t>(id)], rule.start) != rule.start) open.push_back(id);
    };
    if (visited[static_cast<size_t>(rule.start)] == rule.start) continue;  // another name of a rule that was looked at
    visit(rule.start);
    while (!open.empty()) {
      const GrammarState& state = states_[static_cast<size_t>(open.back())];
      open.pop_back();
      if (state.kind == Kind::kSplit) {
        visit(state.next);
        visit(state.other);
      } else if (state.kind == Kind::kCall) {
        begins[static_cast<size_t>(rule.start)].push_back(state.other);
        ++entered[static_cast<size_t>(state.other)];
        if (nullable[static_cast<size_t>(state.other)] != 0) visit(state.next);
      }
    }
  }
  // What nothing begins with is taken away until nothing is left to take; what stays goes in circles.
  for (size_t i = 0; i < states_.size(); ++i) {
    if (entered[i] == 0) open.push_back(static_cast<int32_t>(i));
  }
  while (!open.empty()) {
    const int32_t id = open.back();
    open.pop_back();
    for (const int32_t called : begins[static_cast<size_t>(id)]) {
      if (--entered[static_cast<size_t>(called)] == 0) open.push_back(called);
    }
  }
  for (const Rule& rule : rules_) {
    if (entered[static_cast<size_t>(rule.start)] == 0) continue;
    return ValidationError("'" + rule.name + "' can begin with itself, or with something that does", "",
                           "put something between a rule and its own beginning");
  }
  return {};
}

// Level by level: after round d all states with a need of at most d are known.
void GrammarBuilder::ComputeNeeds(const std::vector<std::vector<int32_t>>& before, int32_t max_depth) {
  std::vector<int32_t> calls, open;
  for (size_t i = 1; i < states_.size(); ++i) {
    states_[i].need = kNever;
    if (states_[i].kind == Kind::kCall) calls.push_back(static_cast<int32_t>(i));
  }
  const auto need = [&](int32_t id) { return states_[static_cast<size_t>(id)].need; };
  const auto settle = [&](int32_t id, int32_t depth) {
    GrammarState& state = states_[static_cast<size_t>(id)];
    if (state.need != kNever || (state.kind == Kind::kByte && state.low > state.high)) return;
    if (state.kind == Kind::kCall) {
      const int32_t inner = need(state.other) + (state.next != kReturn ? 1 : 0);
      if (inner > depth || need(state.next) > depth) return;
    }
    state.need = depth;
    open.push_back(id);
  };
  open.push_back(kReturn);
  for (int32_t depth = 0; depth <= max_depth; ++depth) {
    for (const int32_t call : calls) settle(call, depth);
    while (!open.empty()) {
      const int32_t id = open.back();
      open.pop_back();
      for (const int32_t earlier : before[static_cast<size_t>(id)]) settle(earlier, depth);
    }
  }
}

Result<std::shared_ptr<const Grammar>> GrammarBuilder::Build(int32_t rule, int32_t max_depth) {
  if (full()) {
    return ValidationError("it is too large: more than " + std::to_string(kMaxStates) + " states", "",
                           "ask for fewer repetitions or fewer alternatives");
  }
  for (GrammarState& state : states_) {
    if (state.kind == Kind::kCall) state.other = rules_[static_cast<size_t>(state.other)].start;
  }
  const std::vector<std::vector<int32_t>> before = Before();
  PINTLE_RETURN_IF_ERROR(CheckLeftRecursion(Nullable(before)));
  ComputeNeeds(before, max_depth);
  auto grammar = std::make_shared<Grammar>();
  grammar->states_ = std::move(states_);
  grammar->start_ = rules_[static_cast<size_t>(rule)].start;
  grammar->max_depth_ = max_depth;
  if (grammar->state(grammar->start_).need > max_depth) {
    return ValidationError("no finite text fits it, or only one nested more than " + std::to_string(max_depth) +
                           " deep");
  }
  return std::shared_ptr<const Grammar>(std::move(grammar));
}

}  // namespace pintle
