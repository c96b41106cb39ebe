#include "models/trm/parity.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <vector>

#include "formats/safetensors.h"
#include "models/trm/slots.h"
#include "nn/optimizer.h"

namespace pintle {
namespace {

using Metadata = std::map<std::string, std::string>;

Result<std::string> Field(const Metadata& metadata, const std::string& key, const std::string& where) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return ValidationError("the metadata lacks '" + key + "'", where);
  return found->second;
}

Result<int64_t> IntField(const Metadata& metadata, const std::string& key, const std::string& where) {
  PINTLE_ASSIGN(const std::string text, Field(metadata, key, where));
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return ValidationError("'" + key + "' is no whole number", where);
  }
  return value;
}

// The number behind `phrase` in the note; the schema states the optimizer's constants in words.
Result<double> NumberBehind(const std::string& note, const std::string& phrase, const std::string& where) {
  const size_t at = note.find(phrase);
  if (at == std::string::npos) return ValidationError("the metadata's note does not say '" + phrase + "...'", where);
  return std::strtod(note.c_str() + at + phrase.size(), nullptr);
}

Result<TrmConfig> ReadConfig(const Metadata& metadata, const std::string& where) {
  TrmConfig c;
  c.dtype = DType::kF32;
  c.inner_rounding = 256;
  const struct {
    const char* key;
    int64_t* to;
  } numbers[] = {{"seq_len", &c.cells},         {"vocab_size", &c.vocab},
                 {"puzzle_emb_len", &c.prefix}, {"num_puzzle_identifiers", &c.puzzle_ids},
                 {"hidden_size", &c.width},     {"L_layers", &c.layers},
                 {"num_heads", &c.heads},       {"H_cycles", &c.h_cycles},
                 {"L_cycles", &c.l_cycles},     {"halt_max_steps", &c.halt_max_steps}};
  for (const auto& number : numbers) {
    PINTLE_ASSIGN(*number.to, IntField(metadata, number.key, where));
  }
  PINTLE_ASSIGN(const std::string mlp_t, Field(metadata, "mlp_t", where));
  PINTLE_ASSIGN(const std::string positions, Field(metadata, "pos_encodings", where));
  c.mixing = mlp_t == "True" ? TrmMixing::kMlpT : TrmMixing::kAttention;
  if (positions != "none" && positions != "rope") {
    return ValidationError("pos_encodings '" + positions.substr(0, 40) + "' is not none or rope", where);
  }
  c.positions = positions == "rope" ? TrmPositions::kRope : TrmPositions::kNone;
  PINTLE_RETURN_IF_ERROR(ValidateTrmConfig(c, where));
  return c;
}

Result<OptimizerOptions> ReadOptimizer(const Metadata& metadata, const std::string& where) {
  PINTLE_ASSIGN(const std::string note, Field(metadata, "note", where));
  OptimizerOptions options;
  options.kind = OptimizerKind::kAdamAtan2;
  options.clip_norm = 0;
  PINTLE_ASSIGN(options.learning_rate, NumberBehind(note, "lr ", where));
  PINTLE_ASSIGN(options.beta1, NumberBehind(note, "betas ", where));
  const size_t slash = note.find('/', note.find("betas "));
  if (slash == std::string::npos) return ValidationError("the metadata's note has one beta", where);
  options.beta2 = std::strtod(note.c_str() + slash + 1, nullptr);
  PINTLE_ASSIGN(options.weight_decay, NumberBehind(note, "weight decay ", where));
  return options;
}

// max |a - b| over max |b|; a NaN anywhere is an infinite error.
class Comparison {
 public:
  explicit Comparison(const SafetensorsFile& file) : file_(&file) {}

  template <typename T>
  Status Compare(const std::string& name, const T* ours, int64_t count, double& worst, std::string* worst_name) const {
    PINTLE_ASSIGN(const std::vector<double> theirs, file_->ReadDoubles(name));
    if (static_cast<int64_t>(theirs.size()) != count) {
      return ValidationError(name + " has " + std::to_string(theirs.size()) + " elements, not " + std::to_string(count),
                             file_->path().string());
    }
    double difference = 0, magnitude = 0;
    for (size_t i = 0; i < theirs.size(); ++i) {
      const double d = std::fabs(static_cast<double>(ours[i]) - theirs[i]);
      difference = d <= 1e300 ? std::max(difference, d) : std::numeric_limits<double>::infinity();
      magnitude = std::max(magnitude, std::fabs(theirs[i]));
    }
    const double error = magnitude > 0 ? difference / magnitude : difference;
    if (error >= worst) {
      worst = error;
      if (worst_name != nullptr) *worst_name = name;
    }
    return {};
  }

 private:
  const SafetensorsFile* file_;
};

// Batch `step` of the file's data.
Result<TrmBatch> OfferedBatch(const SafetensorsFile& file, const TrmConfig& config, int64_t slots, int64_t step) {
  TrmBatch batch;
  batch.slots = slots;
  const struct {
    const char* name;
    std::vector<int32_t>* to;
    int64_t size;
  } parts[] = {{"data/inputs", &batch.inputs, slots * config.cells},
               {"data/labels", &batch.labels, slots * config.cells},
               {"data/puzzle_identifiers", &batch.puzzle_ids, slots}};
  for (const auto& part : parts) {
    PINTLE_ASSIGN(const std::vector<int64_t> values, file.ReadInts(part.name));
    if (static_cast<int64_t>(values.size()) < (step + 1) * part.size) {
      return ValidationError(std::string(part.name) + " ends before step " + std::to_string(step),
                             file.path().string());
    }
    for (int64_t i = step * part.size; i < (step + 1) * part.size; ++i) {
      part.to->push_back(static_cast<int32_t>(values[static_cast<size_t>(i)]));
    }
  }
  PINTLE_RETURN_IF_ERROR(CheckTrmBatch(config, batch, true, nullptr));
  return batch;
}

}  // namespace

Result<TrmParityReport> RunTrmParity(const std::filesystem::path& path, bool recompute, ThreadPool& pool) {
  const std::string where = path.string();
  PINTLE_ASSIGN(const SafetensorsFile file, SafetensorsFile::Open(path));
  PINTLE_ASSIGN(const TrmConfig config, ReadConfig(file.metadata(), where));
  PINTLE_ASSIGN(const OptimizerOptions optimizer_options, ReadOptimizer(file.metadata(), where));
  PINTLE_ASSIGN(const int64_t slots, IntField(file.metadata(), "batch_size", where));
  if (slots < 1 || slots > 4096) return ValidationError("batch_size is out of range", where);

  ParameterRegistry registry;
  TrmWeights weights = DeclareTrm(config, registry);
  PINTLE_RETURN_IF_ERROR(registry.Allocate(true));
  for (Parameter& p : registry.all()) {
    PINTLE_RETURN_IF_ERROR(file.ReadFloatsInto("weight/" + p.name, p.weight.f32(), p.shape.Count()));
  }
  PINTLE_RETURN_IF_ERROR(file.ReadFloatsInto("weight/H_init", weights.h_init.data(), config.width));
  PINTLE_RETURN_IF_ERROR(file.ReadFloatsInto("weight/L_init", weights.l_init.data(), config.width));
  PINTLE_RETURN_IF_ERROR(
      file.ReadFloatsInto("weight/puzzle_emb.weights", weights.puzzle_emb.data(), config.puzzle_ids * config.width));
  PINTLE_ASSIGN(const std::unique_ptr<TrmRecursion> recursion,
                TrmRecursion::Create(config, weights, slots, recompute, pool));

  TrmParityReport report;
  const Comparison compare(file);
  TrmSlots state(config, slots);
  const auto extent = static_cast<size_t>(slots * config.positions_count() * config.width);
  TrmCarry carry = {slots, std::vector<float>(extent), std::vector<float>(extent)};
  TrmCarry own = carry;
  TrmAnswer answer;
  std::vector<TrmSlotScore> scores;
  std::vector<float> puzzle_rows;
  std::vector<std::vector<std::vector<float>>> gradients;  // [step][parameter], for the updates
  while (file.Find("step" + std::to_string(report.steps) + "/logits") != nullptr) {
    const std::string step = "step" + std::to_string(report.steps) + "/";
    PINTLE_ASSIGN(const TrmBatch offered, OfferedBatch(file, config, slots, report.steps));
    TrmSlots same = state;
    same.Take(config, weights, offered, own);
    recursion->Forward(same.current, own, answer, {});
    state.Take(config, weights, offered, carry);
    registry.ZeroGradients(pool);
    recursion->ForwardBackward(state.current, 1.0, carry, answer, scores, puzzle_rows);
    state.Halt(config, answer.q, nullptr);

    double loss = 0;
    for (const TrmSlotScore& score : scores) loss += score.lm_loss + 0.5 * score.q_loss;
    const auto check = [&](const char* name, const auto& ours, double& worst) {
      return compare.Compare(step + name, ours.data(), static_cast<int64_t>(ours.size()), worst, nullptr);
    };
    PINTLE_RETURN_IF_ERROR(check("logits", answer.logits, report.logits));
    PINTLE_RETURN_IF_ERROR(check("q_halt", answer.q, report.q_halt));
    PINTLE_RETURN_IF_ERROR(check("z_H", carry.z_h, report.z));
    PINTLE_RETURN_IF_ERROR(check("z_L", carry.z_l, report.z));
    PINTLE_RETURN_IF_ERROR(check("z_H", own.z_h, report.drift));
    PINTLE_RETURN_IF_ERROR(check("z_L", own.z_l, report.drift));
    // The next step starts from the reference's carry.
    PINTLE_RETURN_IF_ERROR(file.ReadFloatsInto(step + "z_H", carry.z_h.data(), static_cast<int64_t>(extent)));
    PINTLE_RETURN_IF_ERROR(file.ReadFloatsInto(step + "z_L", carry.z_l.data(), static_cast<int64_t>(extent)));
    PINTLE_RETURN_IF_ERROR(compare.Compare(step + "loss_sum", &loss, 1, report.loss, nullptr));
    PINTLE_ASSIGN(const std::vector<int64_t> steps, file.ReadInts(step + "steps"));
    if (!std::equal(steps.begin(), steps.end(), state.steps.begin(), state.steps.end())) {
      return ValidationError(step + "steps differ: a slot halts elsewhere", where);
    }
    auto& kept = gradients.emplace_back();
    for (const Parameter& p : registry.all()) {
      PINTLE_RETURN_IF_ERROR(
          compare.Compare(step + "grad/" + p.name, p.gradient.f32(), p.shape.Count(), report.grad, &report.worst_grad));
      kept.emplace_back(p.gradient.f32(), p.gradient.f32() + p.shape.Count());
    }
    PINTLE_RETURN_IF_ERROR(compare.Compare(step + "grad/puzzle_rows", puzzle_rows.data(),
                                           static_cast<int64_t>(puzzle_rows.size()), report.grad, &report.worst_grad));
    ++report.steps;
  }
  if (report.steps < 2) return ValidationError("there are fewer than two steps (stepN/logits)", where);

  PINTLE_ASSIGN(const std::unique_ptr<Optimizer> optimizer, Optimizer::Create(optimizer_options, registry, pool));
  for (size_t update = 0; update < 2; ++update) {
    size_t i = 0;
    for (Parameter& p : registry.all()) {
      std::copy(gradients[update][i].begin(), gradients[update][i].end(), p.gradient.f32());
      ++i;
    }
    optimizer->GradientNorm();
    optimizer->Step(1.0);
  }
  for (const Parameter& p : registry.all()) {
    PINTLE_RETURN_IF_ERROR(compare.Compare("after_adam_atan2/" + p.name, p.weight.f32(), p.shape.Count(),
                                           report.optimizer, &report.worst_optimizer));
  }
  return report;
}

}  // namespace pintle
