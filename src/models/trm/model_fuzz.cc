// libFuzzer target: model folders from outside. Input: two bytes with the length of config.json (little endian), that
// text, then model.safetensors. What loads must also make a step.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/file.h"
#include "formats/safetensors.h"
#include "models/trm/model_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pintle;  // NOLINT(google-build-using-namespace): a harness
  if (size < 2) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data) + 2, size - 2);
  const size_t length = std::min<size_t>(all.size(), data[0] + 256u * data[1]);
  const auto config = ParseTrmConfig(all.substr(0, length), "fuzz");
  // Large models are legal; a fuzzer has no time for them.
  constexpr int64_t kFloats = 1 << 17, kCells = 256, kCycles = 4;
  if (!config.ok() || TrmParameterCount(*config) + config->puzzle_ids * config->width > kFloats) return 0;
  if (config->positions_count() > kCells || config->h_cycles > kCycles || config->l_cycles > kCycles) return 0;
  static const TemporaryFolder folder;
  static ThreadPool pool(1);
  const auto path = folder.path() / "model.safetensors";
  if (!WriteFileAtomic(path, all.substr(length)).ok()) return 0;
  const auto file = SafetensorsFile::Open(path);
  if (!file.ok()) return 0;
  const auto model = Trm::Create(*config, false, pool);
  if (!model.ok() || !ReadTrmWeights(*file, **model).ok()) return 0;
  TrmBatch batch;
  batch.slots = 1;
  batch.inputs.assign(static_cast<size_t>(config->cells), 0);
  batch.puzzle_ids = {0};
  TrmCarry carry = (*model)->NewCarry(1);
  TrmAnswer answer;
  (void)(*model)->Step(batch, carry, answer);
  return 0;
}
