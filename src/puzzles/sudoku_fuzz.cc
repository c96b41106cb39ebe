// libFuzzer: files of puzzles from outside. The first byte chooses the task.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "puzzles/puzzle_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::unique_ptr<pintle::Task> kTasks[] = {
      pintle::MakeTask("sudoku9").value(), pintle::MakeTask("sudoku4").value(), pintle::MakeTask("maze5").value(),
      pintle::MakeTask("sort").value()};
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto& task = *kTasks[data[0] % 4];
  if (const auto samples = pintle::ReadPuzzles(task, text, "fuzz"); samples.ok()) {
    for (const auto& sample : *samples) {
      if (!task.Check(sample.inputs, sample.labels).right) __builtin_trap();
    }
  }
  return 0;
}
