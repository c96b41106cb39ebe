#include "train/training_run.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "formats/manifest.h"
#include "formats/shard.h"
#include "generate/model_folder.h"
#include "kernels/math.h"
#include "kernels/peak.h"
#include "train/checkpoint.h"
#include "train/model_card.h"

namespace pintle {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

constexpr char kModule[] = "train";
constexpr int kPeakSamples = 5;

LoaderConfig LoaderConfigOf(const TrainConfig& config) {
  LoaderConfig loader;
  loader.batch = config.batch;
  loader.time = config.time;
  loader.seed = static_cast<uint64_t>(config.seed);
  loader.fim_rate = config.fim_rate;
  loader.spm_rate = config.spm_rate;
  return loader;
}

Result<const json::object*> Object(const json::object& state, const char* key, const std::string& where) {
  const auto* value = state.if_contains(key);
  if (value == nullptr || !value->is_object()) {
    return ValidationError(std::string("the state has no object '") + key + "'", where);
  }
  return &value->get_object();
}

}  // namespace

Result<TrainInputs> ReadTrainInputs(const fs::path& work) {
  PINTLE_ASSIGN(const Manifest shards, ReadManifest(work / "shards"));
  PINTLE_ASSIGN(const Manifest tokenizer, ReadManifest(work / "tokenizer"));
  return TrainInputs{shards.Id(), tokenizer.Id()};
}

Result<std::unique_ptr<TrainingRun>> TrainingRun::Open(const fs::path& work, const TrainConfig& config, int threads) {
  std::unique_ptr<TrainingRun> run(new TrainingRun(config, threads));
  run->work_ = work;
  run->run_ = work / "run";
  run->config_hash_ = TrainConfigHash(config);
  PINTLE_ASSIGN(run->inputs_, ReadTrainInputs(work));
  PINTLE_ASSIGN(Tokenizer tokenizer, Tokenizer::Load(work / "tokenizer"));
  run->tokenizer_ = std::make_shared<const Tokenizer>(std::move(tokenizer));
  PINTLE_ASSIGN(const DecoderConfig decoder_config, DecoderConfigOf(config, run->tokenizer_->vocab_size()));
  PINTLE_ASSIGN(run->loader_, Loader::Open(work / "shards", run->tokenizer_, LoaderConfigOf(config)));
  run->steps_ = StepsOf(config, run->loader_->tokens_per_epoch());
  PINTLE_ASSIGN(run->schedule_, ScheduleOf(config, run->steps_));
  const DecoderOptions options{.training = true, .recompute = config.recompute};
  PINTLE_ASSIGN(run->decoder_, Decoder::Create(decoder_config, options, run->pool_));
  PINTLE_RETURN_IF_ERROR(run->decoder_->Prepare(config.batch, config.time));
  PINTLE_ASSIGN(run->optimizer_,
                Optimizer::Create(OptimizerOptionsOf(config), run->decoder_->parameters(), run->pool_));
  run->decoder_->Init(static_cast<uint64_t>(config.seed));
  return run;
}

std::string TrainingRun::Plan() const {
  const DecoderConfig& c = decoder_->config();
  const DecoderMemory memory = decoder_->memory();
  const double state = static_cast<double>(optimizer_->state_bytes());
  const double all = static_cast<double>(memory.weights + memory.gradients + memory.activations) + state;
  std::string text = fmt::format(
      "plan\n  model      {}: {} parameters (vocabulary {}, width {}, {} layers, {} heads, {} kv heads, ffn {}), {}\n",
      config_.preset, ParameterCount(c), c.vocab, c.width, c.layers, c.heads, c.kv_heads, c.ffn, DTypeName(c.dtype));
  text +=
      fmt::format("  memory     {}: weights {}, gradients {}, activations {}, optimizer {}\n", HumanBytes(all),
                  HumanBytes(static_cast<double>(memory.weights)), HumanBytes(static_cast<double>(memory.gradients)),
                  HumanBytes(static_cast<double>(memory.activations)), HumanBytes(state));
  text += fmt::format("  data       {} tokens an epoch; {} steps of {} tokens = {} tokens, {:.2f} epochs\n",
                      loader_->tokens_per_epoch(), steps_, tokens_per_step(), steps_ * tokens_per_step(),
                      static_cast<double>(steps_ * tokens_per_step()) /
                          static_cast<double>(std::max<int64_t>(loader_->tokens_per_epoch(), 1)));
  text +=
      fmt::format("  optimizer  {}, {} schedule, warm-up {} steps; fill-in-the-middle {:.0f} %; seed {}\n",
                  config_.optimizer, config_.schedule, schedule_.warmup_steps, 100 * config_.fim_rate, config_.seed);
  text += fmt::format("  work       {:.3g} FLOP in all on {} threads; the time follows after the first steps",
                      FlopsPerToken() * static_cast<double>(tokens_per_step()) * static_cast<double>(steps_),
                      pool_.threads());
  return text;
}

json::object TrainingRun::State() const {
  return {{"step", step()},
          {"targets", targets_},
          {"config", config_hash_},
          {"shards", inputs_.shards},
          {"tokenizer", inputs_.tokenizer},
          {"origin", decoder_->config().origin},
          {"profile", config_.profile},
          {"loader", loader_->State()},
          {"guard", guard_.State()}};
}

Status TrainingRun::Accepts(const fs::path& checkpoint) const {
  const std::string where = (checkpoint / "state.json").string();
  auto state = ReadCheckpointState(checkpoint);
  if (!state.ok()) {
    Error error = std::move(state).error();
    error.hint = "remove " + checkpoint.string() + " to go on from the checkpoint before it";
    return error;
  }
  const json::value value(*state);
  PINTLE_ASSIGN(const std::string origin, JsonString(value, "origin", where));
  if (origin != "internal") {
    return ValidationError("these weights are of origin '" + origin + "': only models trained here are trained on",
                           where);
  }
  const auto same = [&](const char* key, const std::string& now, const char* what) -> Status {
    PINTLE_ASSIGN(const std::string then, JsonString(value, key, where));
    if (then == now) return {};
    return ValidationError(std::string("the checkpoint was made with ") + what, where,
                           "go back to those, or start anew with `pintle m31r train --fresh`");
  };
  PINTLE_RETURN_IF_ERROR(same("config", config_hash_, "other settings"));
  PINTLE_RETURN_IF_ERROR(same("shards", inputs_.shards, "other shards"));
  return same("tokenizer", inputs_.tokenizer, "another tokenizer");
}

Status TrainingRun::Restore(const fs::path& checkpoint) {
  const std::string where = (checkpoint / "state.json").string();
  PINTLE_ASSIGN(const json::object state, ReadCheckpointState(checkpoint));
  PINTLE_ASSIGN(targets_, JsonInt(state, "targets", where));
  PINTLE_ASSIGN(const json::object* loader, Object(state, "loader", where));
  PINTLE_RETURN_IF_ERROR(loader_->Restore(*loader));
  PINTLE_ASSIGN(const json::object* guard, Object(state, "guard", where));
  PINTLE_RETURN_IF_ERROR(guard_.Restore(*guard, where));
  PINTLE_RETURN_IF_ERROR(LoadCheckpoint(checkpoint, *decoder_, *optimizer_));
  saved_step_ = step();
  return {};
}

Status TrainingRun::Begin() {
  PINTLE_RETURN_IF_ERROR(MakeFolder(run_));
  PINTLE_RETURN_IF_ERROR(
      WriteFileAtomic(run_ / "config.toml", DumpConfig([&](ConfigVisitor& v) { config_.Visit(v); })));
  PINTLE_ASSIGN(log_, RunLog::Open(run_ / "run.jsonl", step()));
  peak_gflops_ = config_.dtype == "bf16" ? kernels::PeakBF16Gflops(pool_, kPeakSamples)
                                         : kernels::PeakF32Gflops(pool_, kPeakSamples);
  const DecoderMemory memory = decoder_->memory();
  return log_->Write(
      {{"type", "start"},
       {"step", step()},
       {"preset", config_.preset},
       {"parameters", ParameterCount(decoder_->config())},
       {"vocabulary", decoder_->config().vocab},
       {"dtype", config_.dtype},
       {"profile", config_.profile},
       {"optimizer", config_.optimizer},
       {"steps", steps_},
       {"tokens_per_step", tokens_per_step()},
       {"threads", pool_.threads()},
       {"memory_bytes", memory.weights + memory.gradients + memory.activations + optimizer_->state_bytes()},
       {"time", UtcTimestamp()}});
}

Result<StepFigures> TrainingRun::Step() {
  const double start = MonotonicSeconds();
  StepFigures figures;
  PINTLE_ASSIGN(figures.targets, loader_->CountTargets(config_.accum));
  if (figures.targets == 0)
    return RuntimeError("the data gave a step without a single target", (work_ / "shards").string());
  decoder_->parameters().ZeroGradients(pool_);
  double loss_sum = 0;
  for (int64_t i = 0; i < config_.accum; ++i) {
    PINTLE_ASSIGN(const bool more, loader_->Next(batch_));
    if (!more) return RuntimeError("the data ended in the middle of a step", (work_ / "shards").string());
    PINTLE_RETURN_IF_ERROR(decoder_->TrainMicroBatch(batch_, figures.targets, loss_sum));
  }
  figures.loss = loss_sum / static_cast<double>(figures.targets);
  figures.gradient_norm = optimizer_->GradientNorm();
  PINTLE_RETURN_IF_ERROR(guard_.Check(step() + 1, figures.loss, figures.gradient_norm));
  figures.factor = ScheduleFactor(schedule_, step());
  optimizer_->Step(figures.factor);
  targets_ += figures.targets;
  figures.seconds = MonotonicSeconds() - start;
  return figures;
}

Result<Loader*> TrainingRun::ValidationLoader() {
  if (validation_loader_ != nullptr) {
    PINTLE_RETURN_IF_ERROR(validation_loader_->Restore(validation_start_));
    return validation_loader_.get();
  }
  if (ShardPaths(work_ / "shards", "val").empty()) {
    LogWarning(kModule, "no validation: the shards have no split val");
    return nullptr;
  }
  LoaderConfig loader_config = LoaderConfigOf(config_);
  loader_config.split = "val";
  loader_config.fim_rate = 0;
  loader_config.shuffle = false;
  loader_config.epochs = 1;
  PINTLE_ASSIGN(validation_loader_, Loader::Open(work_ / "shards", tokenizer_, loader_config));
  validation_start_ = validation_loader_->State();
  return validation_loader_.get();
}

Result<std::optional<Validation>> TrainingRun::Validate() {
  PINTLE_ASSIGN(Loader* const loader, ValidationLoader());
  if (loader == nullptr) return std::optional<Validation>();
  if (config_.ema > 0 && step() > 0) optimizer_->SwapEma();
  Validation validation;
  double nats = 0;
  Status status;
  for (int64_t i = 0; i < config_.eval_batches && status.ok(); ++i) {
    const auto more = loader->Next(batch_);
    if (!more.ok()) status = more.error();
    if (!more.ok() || !*more) break;
    status = decoder_->LossSum(batch_, nats);
    validation.targets += loader->last_targets();
    validation.bytes += loader->last_bytes();
  }
  if (config_.ema > 0 && step() > 0) optimizer_->SwapEma();
  PINTLE_RETURN_IF_ERROR(status);
  if (validation.targets == 0 || validation.bytes == 0) return std::optional<Validation>();
  validation.loss = nats / static_cast<double>(validation.targets);
  validation.bits_per_byte = nats / kernels::Log(2.0) / static_cast<double>(validation.bytes);
  LogInfo(kModule, fmt::format("step {}: validation loss {:.4f}, {:.4f} bits per byte", step(), validation.loss,
                               validation.bits_per_byte));
  PINTLE_RETURN_IF_ERROR(log_->Write({{"type", "validation"},
                                      {"step", step()},
                                      {"loss", validation.loss},
                                      {"bits_per_byte", validation.bits_per_byte},
                                      {"targets", validation.targets},
                                      {"bytes", validation.bytes}}));
  return std::optional<Validation>(validation);
}

Status TrainingRun::Sample(const ProgramJudge& judge) {
  if (!generator_) {
    PINTLE_ASSIGN(Generator made, Generator::Create(*decoder_, *tokenizer_, pool_));
    generator_.emplace(std::move(made));
  }
  SampleOptions options;
  options.max_tokens = config_.sample_tokens;
  options.fit_prompt = true;
  std::vector<std::string> functions;
  std::string first;
  for (const std::string& prompt : QuickPrompts()) {
    generator_->Forget();
    int64_t cut = 0;
    PINTLE_ASSIGN(const std::vector<int32_t> ids, generator_->PlainPrompt(prompt, options, cut));
    PINTLE_ASSIGN(const Completion sample, generator_->Run(ids, options, {}));
    functions.push_back(FinishedFunction(prompt, sample.text));
    if (functions.size() == 1) first = sample.text;
  }
  PINTLE_ASSIGN(const QuickCheck check, CheckFunctions(functions, judge));
  json::object line{{"type", "sample"},
                    {"step", step()},
                    {"prompt", QuickPrompts()[0]},
                    {"text", first},
                    {"functions", check.functions},
                    {"parsed", check.parsed}};
  std::string verdict = fmt::format("{} of {} functions parse", check.parsed, check.functions);
  if (check.compiled) {
    line["compiled"] = *check.compiled;
    verdict += fmt::format(", {} compile", *check.compiled);
  }
  LogInfo(kModule, fmt::format("step {}: {}; sample {}", step(), verdict, JsonQuote(first)));
  return log_->Write(line);
}

Status TrainingRun::Save() {
  if (saved_step_ == step() || !guard_.calm()) return {};
  const std::string toml = DumpConfig([&](ConfigVisitor& v) { config_.Visit(v); }, false);
  auto saved = SaveCheckpoint(run_, *decoder_, *optimizer_, State(), toml, config_.keep_checkpoints);
  if (!saved.ok()) {
    Error error = std::move(saved).error();
    if (error.hint.empty())
      error.hint = "the checkpoints before this one are whole: make room and `pintle m31r resume`";
    return error;
  }
  saved_step_ = step();
  return log_->Write(
      {{"type", "checkpoint"}, {"step", step()}, {"path", saved->lexically_relative(run_).generic_string()}});
}

Result<std::string> TrainingRun::WriteModel(const std::optional<Validation>& validation) {
  PINTLE_ASSIGN(StageOutput output, StageOutput::Create(run_ / "model"));
  if (config_.ema > 0) optimizer_->SwapEma();
  const Status written = WriteModelFiles(output.folder(), *decoder_, *tokenizer_);
  if (config_.ema > 0) optimizer_->SwapEma();
  PINTLE_RETURN_IF_ERROR(written);
  CardFacts facts{decoder_->config(),
                  tokenizer_->hash(),
                  inputs_.shards,
                  inputs_.tokenizer,
                  config_hash_,
                  step(),
                  targets_,
                  config_.seed,
                  0,
                  {}};
  if (validation) facts.bits_per_byte = validation->bits_per_byte;
  facts.config_toml = DumpConfig([&](ConfigVisitor& v) { config_.Visit(v); }, false);
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(output.folder() / "README.md", TrainingCard(facts)));
  Manifest manifest;
  manifest.stage = "train";
  manifest.config_hash = config_hash_;
  manifest.inputs = {{"shards", inputs_.shards}, {"tokenizer", inputs_.tokenizer}};
  manifest.counts = {{"steps", step()}, {"targets", targets_}, {"parameters", ParameterCount(decoder_->config())}};
  manifest.notes = {{"origin", decoder_->config().origin}, {"preset", config_.preset}, {"profile", config_.profile}};
  if (validation) manifest.notes["bits_per_byte"] = fmt::format("{}", validation->bits_per_byte);
  PINTLE_RETURN_IF_ERROR(output.Commit(std::move(manifest)));
  PINTLE_ASSIGN(const Manifest committed, ReadManifest(run_ / "model"));
  for (const auto& file : committed.outputs) {
    if (file.path == "model.safetensors") return file.sha256;
  }
  return RuntimeError("the model folder was written without weights", (run_ / "model").string());
}

Status TrainingRun::LogStep(const StepFigures& figures) {
  const double rate = static_cast<double>(tokens_per_step()) / figures.seconds;
  return log_->Write({{"type", "step"},
                      {"step", step()},
                      {"loss", figures.loss},
                      {"lr", config_.lr * figures.factor},
                      {"grad_norm", figures.gradient_norm},
                      {"tokens", targets_},
                      {"tokens_per_s", rate},
                      {"mfu", Utilisation(rate)},
                      {"rss_bytes", ResidentBytes()},
                      {"seconds", figures.seconds}});
}

Status TrainingRun::LogStop(const std::string& reason) {
  return log_->Write({{"type", "stop"}, {"step", step()}, {"reason", reason}});
}

}  // namespace pintle
