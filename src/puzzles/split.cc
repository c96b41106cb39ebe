#include "puzzles/split.h"

#include "base/hash.h"

namespace pintle {

Result<Split> SplitOf(const std::string& name) {
  if (name == "all") return Split::kAll;
  if (name == "train") return Split::kTrain;
  if (name == "test") return Split::kTest;
  return UsageError("unknown split '" + name + "'", "", "the splits are all, train, test");
}

bool InSplit(const Task& task, const Tokens& inputs, Split split) {
  if (split == Split::kAll) return true;
  int remainder = 0;
  for (const uint8_t byte : Sha256Of(task.CanonicalForm(inputs))) remainder = (remainder * 256 + byte) % 10;
  return (remainder == 0) == (split == Split::kTest);
}

Result<Sample> GenerateInSplit(const Task& task, uint64_t seed, uint64_t index, Split split) {
  constexpr int kDraws = 10000;
  RandomStream random(seed, Purpose::kPuzzle, index);
  for (int draw = 0; draw < kDraws; ++draw) {
    Sample sample = task.Draw(random);
    if (InSplit(task, sample.inputs, split)) return sample;
  }
  return RuntimeError("no puzzle of this split among " + std::to_string(kDraws), task.info().name,
                      "choose a longer or larger puzzle");
}

}  // namespace pintle
