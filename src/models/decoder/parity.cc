#include "models/decoder/parity.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <memory>

#include "formats/safetensors.h"
#include "models/decoder/decoder.h"
#include "nn/optimizer.h"

namespace pintle {
namespace {

using Metadata = std::map<std::string, std::string>;

Result<std::string> Field(const Metadata& metadata, const std::string& key, const std::string& where) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return ValidationError("the metadata has no '" + key + "'", where);
  return found->second;
}

Result<double> Number(const std::string& text, const std::string& key, const std::string& where) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || !std::isfinite(value)) {
    return ValidationError("'" + key + "' is not a number: '" + text.substr(0, 40) + "'", where);
  }
  return value;
}

Result<double> NumberField(const Metadata& metadata, const std::string& key, const std::string& where) {
  PINTLE_ASSIGN(const std::string text, Field(metadata, key, where));
  return Number(text, key, where);
}

Result<int64_t> IntField(const Metadata& metadata, const std::string& key, const std::string& where) {
  PINTLE_ASSIGN(const double value, NumberField(metadata, key, where));
  if (value < 0 || value > 1e9 || value != std::floor(value))
    return ValidationError("'" + key + "' is no count", where);
  return static_cast<int64_t>(value);
}

// The number behind `phrase` in the note; the schema states the optimizer's constants in words.
Result<double> NumberBehind(const std::string& note, const std::string& phrase, const std::string& where) {
  const size_t at = note.find(phrase);
  if (at == std::string::npos) return ValidationError("the metadata's note does not say '" + phrase + "...'", where);
  return Number(note.substr(at + phrase.size()), phrase, where);
}

Result<DecoderConfig> ReadConfig(const Metadata& metadata, const std::string& where) {
  DecoderConfig c;
  c.dtype = DType::kF32;
  PINTLE_ASSIGN(c.vocab, IntField(metadata, "vocab", where));
  PINTLE_ASSIGN(c.width, IntField(metadata, "width", where));
  PINTLE_ASSIGN(c.layers, IntField(metadata, "layers", where));
  PINTLE_ASSIGN(c.heads, IntField(metadata, "heads", where));
  PINTLE_ASSIGN(c.kv_heads, IntField(metadata, "kv_heads", where));
  PINTLE_ASSIGN(c.head_dim, IntField(metadata, "head_dim", where));
  PINTLE_ASSIGN(c.ffn, IntField(metadata, "ffn", where));
  PINTLE_ASSIGN(c.rope_theta, NumberField(metadata, "rope_base", where));
  PINTLE_ASSIGN(c.norm_epsilon, NumberField(metadata, "rms_eps", where));
  PINTLE_ASSIGN(const std::string tied, Field(metadata, "tied", where));
  if (tied != "True" && tied != "False" && tied != "true" && tied != "false") {
    return ValidationError("'tied' is '" + tied.substr(0, 40) + "', not True or False", where);
  }
  c.tied = tied == "True" || tied == "true";
  return c;
}

Result<OptimizerOptions> ReadOptimizer(const Metadata& metadata, const std::string& where) {
  PINTLE_ASSIGN(const std::string note, Field(metadata, "note", where));
  OptimizerOptions options;
  PINTLE_ASSIGN(options.clip_norm, NumberBehind(note, "clipped to norm ", where));
  PINTLE_ASSIGN(options.learning_rate, NumberBehind(note, "lr ", where));
  PINTLE_ASSIGN(options.beta1, NumberBehind(note, "betas ", where));
  const size_t slash = note.find('/', note.find("betas "));
  if (slash == std::string::npos) return ValidationError("the metadata's note has one beta", where);
  PINTLE_ASSIGN(options.beta2, Number(note.substr(slash + 1), "betas", where));
  PINTLE_ASSIGN(options.epsilon, NumberBehind(note, "eps ", where));
  PINTLE_ASSIGN(options.weight_decay, NumberBehind(note, "decoupled decay ", where));
  return options;
}

Result<TokenBatch> ReadBatch(const SafetensorsFile& file, const std::string& where) {
  TokenBatch batch;
  PINTLE_ASSIGN(const SafetensorsEntry* ids, file.Get("data/ids"));
  if (ids->shape.size() != 2) return ValidationError("data/ids is not [batch, time]", where);
  batch.batch = ids->shape[0];
  batch.time = ids->shape[1];
  const struct {
    const char* name;
    std::vector<int32_t>* to;
  } parts[] = {{"data/ids", &batch.ids},
               {"data/targets", &batch.targets},
               {"data/document", &batch.document},
               {"data/position", &batch.position}};
  for (const auto& part : parts) {
    PINTLE_ASSIGN(const std::vector<int64_t> values, file.ReadInts(part.name));
    for (const int64_t value : values) {
      if (value != static_cast<int32_t>(value)) return ValidationError(std::string(part.name) + " overflows", where);
      part.to->push_back(static_cast<int32_t>(value));
    }
  }
  return batch;
}

// max |a - b| over max |b|; a NaN anywhere is an infinite error.
Result<double> RelativeError(const SafetensorsFile& file, const std::string& name, const float* ours, int64_t count) {
  PINTLE_ASSIGN(const std::vector<double> theirs, file.ReadDoubles(name));
  if (static_cast<int64_t>(theirs.size()) != count) {
    return ValidationError(name + " has " + std::to_string(theirs.size()) + " elements, not " + std::to_string(count),
                           file.path().string());
  }
  double difference = 0, magnitude = 0;
  for (size_t i = 0; i < theirs.size(); ++i) {
    const double d = std::fabs(static_cast<double>(ours[i]) - theirs[i]);
    if (!(d <= 1e300)) return std::numeric_limits<double>::infinity();
    difference = std::max(difference, d);
    magnitude = std::max(magnitude, std::fabs(theirs[i]));
  }
  return magnitude > 0 ? difference / magnitude : difference;
}

Result<double> RelativeErrorOfScalar(const SafetensorsFile& file, const std::string& name, double ours) {
  PINTLE_ASSIGN(const std::vector<double> theirs, file.ReadDoubles(name));
  if (theirs.size() != 1) return ValidationError(name + " is not one number", file.path().string());
  const double error = std::fabs(ours - theirs[0]) / std::max(1e-300, std::fabs(theirs[0]));
  return std::isfinite(error) ? error : std::numeric_limits<double>::infinity();
}

}  // namespace

Result<ParityReport> RunParity(const std::filesystem::path& path, ThreadPool& pool) {
  const std::string where = path.string();
  PINTLE_ASSIGN(const SafetensorsFile file, SafetensorsFile::Open(path));
  PINTLE_ASSIGN(DecoderConfig config, ReadConfig(file.metadata(), where));
  PINTLE_ASSIGN(const OptimizerOptions optimizer_options, ReadOptimizer(file.metadata(), where));
  PINTLE_ASSIGN(const TokenBatch batch, ReadBatch(file, where));
  config.context = batch.time;
  for (const int32_t position : batch.position) config.context = std::max<int64_t>(config.context, position + 1);
  int64_t target_count = 0;
  for (const int32_t target : batch.targets) target_count += target >= 0 ? 1 : 0;
  if (target_count == 0) return ValidationError("no target is scored", where);

  PINTLE_ASSIGN(const std::unique_ptr<Decoder> decoder, Decoder::Create(config, {true, false}, pool));
  for (Parameter& p : decoder->parameters().all()) {
    PINTLE_RETURN_IF_ERROR(file.ReadFloatsInto("weight/" + p.name, p.weight.f32(), p.shape.Count()));
  }
  decoder->WeightsChanged();
  PINTLE_ASSIGN(const std::unique_ptr<Optimizer> optimizer,
                Optimizer::Create(optimizer_options, decoder->parameters(), pool));

  ParityReport report;
  std::vector<float> logits(static_cast<size_t>(batch.batch * batch.time * config.vocab));
  while (file.Find("step" + std::to_string(report.steps) + "/logits") != nullptr) {
    const std::string step = "step" + std::to_string(report.steps) + "/";
    PINTLE_RETURN_IF_ERROR(decoder->Logits(batch, logits));
    PINTLE_ASSIGN(const double logits_error,
                  RelativeError(file, step + "logits", logits.data(), static_cast<int64_t>(logits.size())));
    report.logits = std::max(report.logits, logits_error);

    decoder->parameters().ZeroGradients(pool);
    double loss_sum = 0;
    PINTLE_RETURN_IF_ERROR(decoder->TrainMicroBatch(batch, target_count, loss_sum));
    PINTLE_ASSIGN(const double loss_error,
                  RelativeErrorOfScalar(file, step + "loss_mean", loss_sum / static_cast<double>(target_count)));
    report.loss = std::max(report.loss, loss_error);

    const double norm = optimizer->GradientNorm();
    PINTLE_ASSIGN(const double norm_error, RelativeErrorOfScalar(file, step + "grad_norm", norm));
    report.grad = std::max(report.grad, norm_error);
    for (const Parameter& p : decoder->parameters().all()) {
      PINTLE_ASSIGN(const double error,
                    RelativeError(file, step + "grad/" + p.name, p.gradient.f32(), p.shape.Count()));
      if (error >= report.grad) report.worst_grad = p.name;
      report.grad = std::max(report.grad, error);
    }
    optimizer->Step(1.0);
    ++report.steps;
  }
  if (report.steps == 0) return ValidationError("there is no step0/logits", where);
  for (const Parameter& p : decoder->parameters().all()) {
    PINTLE_ASSIGN(const double error, RelativeError(file, "after_adamw/" + p.name, p.weight.f32(), p.shape.Count()));
    if (error >= report.optimizer) report.worst_optimizer = p.name;
    report.optimizer = std::max(report.optimizer, error);
  }
  return report;
}

}  // namespace pintle
