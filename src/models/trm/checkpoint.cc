// TrmTrainer::Save, Restore and SaveModel: one safetensors file with all tensors of a training run and a JSON object of
// its counters in the metadata. Everything is read and checked before anything changes.
#include <boost/json.hpp>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "base/json.h"
#include "formats/manifest.h"
#include "formats/safetensors.h"
#include "models/trm/foreign_weights.h"
#include "models/trm/model_folder.h"
#include "models/trm/trainer.h"
#include "models/trm/trainer_impl.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr char kFile[] = "state.safetensors";

// What must be equal for a run to go on; slots of another number or another network cannot be continued.
std::string RunIdentity(const TrmConfig& config, const TrmTrainOptions& o) {
  const json::object root = {{"model", TrmConfigJson(config)},
                             {"slots", o.slots},
                             {"beta1", o.beta1},
                             {"beta2", o.beta2},
                             {"weight_decay", o.weight_decay},
                             {"puzzle_learning_rate", o.puzzle_learning_rate},
                             {"puzzle_weight_decay", o.puzzle_weight_decay},
                             {"warmup_steps", o.warmup_steps},
                             {"ema_decay", o.ema_decay},
                             {"halt_exploration", o.halt_exploration},
                             {"seed", std::to_string(o.seed)}};
  return DumpJson(root);
}

}  // namespace

// Every float tensor of a run, by the name it has in the file.
static std::vector<NamedTensor> FloatState(TrmTrainer::Impl& m) {
  std::vector<NamedTensor> tensors;
  for (const NamedTensor& t : m.model.registry.Weights()) tensors.push_back({"weight/" + t.name, t.tensor});
  for (const NamedTensor& t : m.owner.Buffers()) tensors.push_back({"weight/" + t.name, t.tensor});
  for (const NamedTensor& t : m.optimizer->State()) tensors.push_back(t);
  const Shape state = {m.options.slots, m.model.config.positions_count(), m.model.config.width};
  tensors.push_back({"carry/z_h", Tensor(DType::kF32, state, m.carry.z_h.data())});
  tensors.push_back({"carry/z_l", Tensor(DType::kF32, state, m.carry.z_l.data())});
  return tensors;
}

Status TrmTrainer::Save(const fs::path& folder) const {
  Impl& m = *impl_;
  PINTLE_ASSIGN(StageOutput output, StageOutput::Create(folder));
  std::vector<SafetensorsItem> items;
  for (const NamedTensor& t : FloatState(m)) {
    items.push_back({t.name, FileDtype::kF32, Extents(t.tensor.shape()), t.tensor.data()});
  }
  const int64_t slots = m.options.slots, cells = m.model.config.cells;
  items.push_back({"slots/inputs", FileDtype::kI32, {slots, cells}, m.slots.current.inputs.data()});
  items.push_back({"slots/labels", FileDtype::kI32, {slots, cells}, m.slots.current.labels.data()});
  items.push_back({"slots/puzzle_ids", FileDtype::kI32, {slots}, m.slots.current.puzzle_ids.data()});
  items.push_back({"slots/steps", FileDtype::kI32, {slots}, m.slots.steps.data()});
  items.push_back({"slots/halted", FileDtype::kU8, {slots}, m.slots.halted.data()});
  const std::map<std::string, std::string> metadata = {{"step", std::to_string(step())},
                                                       {"samples_taken", std::to_string(samples_taken())},
                                                       {"run", RunIdentity(m.model.config, m.options)}};
  PINTLE_RETURN_IF_ERROR(WriteSafetensors(output.folder() / kFile, metadata, std::move(items)));
  Manifest manifest;
  manifest.stage = "trm checkpoint";
  manifest.counts["step"] = step();
  PINTLE_RETURN_IF_ERROR(output.Commit(std::move(manifest)));
  return {};
}

Status TrmTrainer::Restore(const fs::path& folder) {
  Impl& m = *impl_;
  PINTLE_RETURN_IF_ERROR(VerifyFolder(folder));
  PINTLE_ASSIGN(const SafetensorsFile file, SafetensorsFile::Open(folder / kFile));
  const std::string where = file.path().string();
  const auto run = file.metadata().find("run");
  if (run == file.metadata().end() || run->second != RunIdentity(m.model.config, m.options)) {
    return ValidationError("the checkpoint belongs to a run with other settings", where,
                           "start a new run, or give the settings that it was made with");
  }
  int64_t counters[2];
  for (const auto& [key, to] : {std::pair{"step", &counters[0]}, std::pair{"samples_taken", &counters[1]}}) {
    const auto found = file.metadata().find(key);
    if (found == file.metadata().end() || found->second.empty() || found->second.size() > 18 ||
        found->second.find_first_not_of("0123456789") != std::string::npos) {
      return ValidationError(std::string("the metadata has no counter '") + key + "'", where);
    }
    *to = std::stoll(found->second);
  }

  const std::vector<NamedTensor> tensors = FloatState(m);
  std::vector<std::vector<float>> values;
  for (const NamedTensor& t : tensors) {
    PINTLE_ASSIGN(const SafetensorsEntry* entry, file.Get(t.name));
    if (entry->dtype != FileDtype::kF32 || entry->shape != Extents(t.tensor.shape())) {
      return ValidationError(t.name + " has another shape or type than " + t.tensor.shape().ToString(), where);
    }
    PINTLE_ASSIGN(std::vector<float> floats, file.ReadFloats(t.name));
    for (const float value : floats) {
      if (!std::isfinite(value)) return ValidationError(t.name + " holds a value that is not finite", where);
    }
    values.push_back(std::move(floats));
  }
  TrmSlots slots(m.model.config, m.options.slots);
  slots.samples_taken = counters[1];
  const struct {
    const char* name;
    std::vector<int32_t>* to;
    int64_t least, most;
  } parts[] = {{"slots/inputs", &slots.current.inputs, 0, m.model.config.vocab - 1},
               {"slots/labels", &slots.current.labels, INT32_MIN, INT32_MAX},
               {"slots/puzzle_ids", &slots.current.puzzle_ids, 0, m.model.config.puzzle_ids - 1},
               {"slots/steps", &slots.steps, 0, m.model.config.halt_max_steps}};
  for (const auto& part : parts) {
    PINTLE_ASSIGN(const std::vector<int64_t> ints, file.ReadInts(part.name));
    if (ints.size() != part.to->size()) return ValidationError(std::string(part.name) + " has another size", where);
    for (size_t i = 0; i < ints.size(); ++i) {
      if (ints[i] < part.least || ints[i] > part.most) {
        return ValidationError(std::string(part.name) + " is out of range", where);
      }
      (*part.to)[i] = static_cast<int32_t>(ints[i]);
    }
  }
  PINTLE_ASSIGN(const std::vector<int64_t> halted, file.ReadInts("slots/halted"));
  if (halted.size() != slots.halted.size()) return ValidationError("slots/halted has another size", where);
  for (size_t i = 0; i < halted.size(); ++i) slots.halted[i] = halted[i] != 0 ? 1 : 0;

  for (size_t i = 0; i < tensors.size(); ++i) {
    std::memcpy(tensors[i].tensor.data(), values[i].data(), values[i].size() * sizeof(float));
  }
  m.slots = std::move(slots);
  m.optimizer->set_step(counters[0]);
  m.owner.WeightsChanged();
  return {};
}

Result<std::string> TrmTrainer::SaveModel(const fs::path& folder, const std::map<std::string, std::string>& notes) {
  SwapEma();
  auto saved = SaveTrm(folder, impl_->owner, notes);
  SwapEma();
  return saved;
}

}  // namespace pintle
