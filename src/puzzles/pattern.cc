// The pattern family: a question of n symbols in the first row, and its answer under it in the second. They are small
// enough to train in seconds, and each asks for something else: moving (copy, reverse), comparing (sort), carrying
// (parity), counting (majority), selecting (selective_copy).
#include <algorithm>
#include <utility>

#include "puzzles/tasks.h"

namespace pintle {
namespace {

using Question = std::span<const Token>;

Tokens Copy(Question question) { return {question.begin(), question.end()}; }
Tokens Reverse(Question question) { return {question.rbegin(), question.rend()}; }
Tokens Sort(Question question) {
  Tokens answer = Copy(question);
  std::sort(answer.begin(), answer.end());
  return answer;
}
Tokens Parity(Question question) {
  Tokens answer;
  int ones = 0;
  for (const Token token : question) {
    ones += token - 2;
    answer.push_back(2 + ones % 2);
  }
  return answer;
}
// Empty if both symbols are equally frequent.
Tokens Majority(Question question) {
  const auto zeros = std::count(question.begin(), question.end(), 2);
  const auto ones = static_cast<std::ptrdiff_t>(question.size()) - zeros;
  return zeros == ones ? Tokens{} : Tokens(question.size(), zeros > ones ? 2 : 3);
}
Tokens SelectiveCopy(Question question) {
  Tokens answer;
  std::copy_if(question.begin(), question.end(), std::back_inserter(answer), [](Token t) { return t != kBlank; });
  answer.resize(question.size(), kBlank);
  return answer;
}

struct Pattern {
  const char* name;
  const char* help;
  const char* baseline;
  Tokens (*answer)(Question);
  bool binary;      // two symbols, 0 and 1
  bool gaps;        // half of the question's cells are blank
  bool copies_row;  // the baseline: the question as it stands; else the lowest symbol everywhere
};

constexpr const char* kAsItStands = "the question as it stands";
constexpr const char* kLowest = "the lowest symbol everywhere";
constexpr Pattern kPatterns[] = {
    {"copy", "repeat the question", kLowest, Copy, false, false, false},
    {"reverse", "the question backwards", kAsItStands, Reverse, false, false, true},
    {"sort", "the symbols of the question in ascending order", kAsItStands, Sort, false, false, true},
    {"parity", "under each bit: is the number of ones so far odd?", kAsItStands, Parity, true, false, true},
    {"majority", "the more frequent of the two symbols, in every cell", kLowest, Majority, true, false, false},
    {"selective_copy", "the symbols without the gaps between them", kAsItStands, SelectiveCopy, false, true, true},
};

class PatternTask final : public Task {
 public:
  PatternTask(const Pattern& pattern, TaskInfo info) : Task(std::move(info)), pattern_(pattern) {}

  [[nodiscard]] Sample Draw(RandomStream& random) const override {
    const auto length = static_cast<size_t>(info().cols);
    const auto alphabet = static_cast<uint32_t>(vocabulary() - 2);
    Tokens question(length), answer;
    while (answer.empty()) {
      for (Token& token : question) {
        const bool gap = pattern_.gaps && random.NextBelow(2) == 0;
        token = gap ? kBlank : static_cast<Token>(2 + random.NextBelow(alphabet));
      }
      answer = pattern_.answer(question);
    }
    return {Stack(question, Tokens(length, kBlank)), Stack(question, answer)};
  }

  [[nodiscard]] Result<Tokens> Solve(const Tokens& inputs) const override {
    const Question question(inputs.data(), inputs.size() / 2);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const bool in_question = i < question.size();
      const bool blank = inputs[i] == kBlank;
      if (in_question ? blank && !pattern_.gaps : !blank) {
        return ValidationError(
            in_question ? "the question has a gap" : "the second row is for the answer",
            "row " + std::to_string(in_question ? 1 : 2) + ", column " + std::to_string(i % question.size() + 1),
            in_question ? "write a symbol" : "write a dot");
      }
    }
    const Tokens answer = pattern_.answer(question);
    if (answer.empty()) return ValidationError("no answer: both symbols are equally frequent");
    return Stack(question, answer);
  }

  [[nodiscard]] Verdict Check(const Tokens& inputs, const Tokens& answer) const override {
    const auto right = Solve(inputs);
    if (!right.ok()) return {false, right.error().what};
    const auto differs = std::mismatch(answer.begin(), answer.end(), right->begin()).first - answer.begin();
    if (differs == static_cast<std::ptrdiff_t>(answer.size())) return {true, {}};
    return {false, "row " + std::to_string(differs / info().cols + 1) + ", column " +
                       std::to_string(differs % info().cols + 1) + " does not follow the rule"};
  }

  [[nodiscard]] Tokens Baseline(const Tokens& inputs) const override {
    const Question question(inputs.data(), inputs.size() / 2);
    return Stack(question, pattern_.copies_row ? Copy(question) : Tokens(question.size(), 2));
  }

 private:
  static Tokens Stack(Question question, const Tokens& answer) {
    Tokens grid(question.begin(), question.end());
    grid.insert(grid.end(), answer.begin(), answer.end());
    return grid;
  }

  const Pattern& pattern_;
};

}  // namespace

MadeTask MakePatternTask(const std::string& name, const TaskOptions& options) {
  constexpr int64_t kLongest = 64, kLetters = 26;
  if (options.length < 2 || options.length > kLongest || options.alphabet < 2 || options.alphabet > kLetters) {
    return ConfigError("length must lie in 2 to 64 and alphabet in 2 to 26", "task");
  }
  const Pattern& pattern =
      *std::find_if(std::begin(kPatterns), std::end(kPatterns), [&](const Pattern& p) { return name == p.name; });
  TaskInfo info;
  info.name = pattern.name;
  info.help = pattern.help;
  info.baseline = pattern.baseline;
  info.rows = 2;
  info.cols = static_cast<int>(options.length);
  info.symbols = "~.";
  for (int64_t i = 0; i < (pattern.binary ? 2 : options.alphabet); ++i) {
    info.symbols += static_cast<char>((pattern.binary ? '0' : 'a') + i);
  }
  return std::unique_ptr<Task>(std::make_unique<PatternTask>(pattern, std::move(info)));
}

}  // namespace pintle
