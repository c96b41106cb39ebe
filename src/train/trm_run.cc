#include "train/trm_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "formats/manifest.h"
#include "train/checkpoint.h"
#include "train/trm_card.h"

namespace pintle {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

constexpr char kModule[] = "train";

double Share(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string Toml(const TrmRunConfig& config) {
  TrmRunConfig copy = config;
  return DumpConfig([&](ConfigVisitor& v) { copy.Visit(v); }, false);
}

std::string OptionsToml(const TaskOptions& options) {
  TaskOptions copy = options;
  return DumpConfig([&](ConfigVisitor& v) { copy.Visit(v); }, false);
}

}  // namespace

Result<std::unique_ptr<TrmRun>> TrmRun::Open(const fs::path& out, const TrmRunConfig& config, int threads) {
  std::unique_ptr<TrmRun> run(new TrmRun(out, config, threads));
  PINTLE_ASSIGN(run->samples_, TrmSamples::Open(config, run->pool_));
  PINTLE_ASSIGN(const TrmConfig network, NetworkOf(config, run->samples_->task()));
  PINTLE_ASSIGN(run->model_, Trm::Create(network, true, run->pool_));
  run->model_->Init(static_cast<uint64_t>(config.seed));
  PINTLE_ASSIGN(run->trainer_, TrmTrainer::Create(*run->model_, TrainOptionsOf(config), run->pool_));
  run->identity_ = Sha256Hex(TrmRunHash(config) + run->samples_->data_sha256());
  return run;
}

Status TrmRun::Restore(const fs::path& checkpoint, int64_t end) {
  PINTLE_RETURN_IF_ERROR(VerifyFolder(checkpoint));
  const std::string where = (checkpoint / "state.json").string();
  PINTLE_ASSIGN(const std::string text, ReadFile(where, 1 << 20));
  PINTLE_ASSIGN(const json::value state, ParseJson(text, where));
  PINTLE_ASSIGN(const std::string identity, JsonString(state, "identity", where));
  PINTLE_ASSIGN(const int64_t step, JsonInt(state, "step", where));
  PINTLE_ASSIGN(const int64_t its_end, JsonInt(state, "end", where));
  PINTLE_ASSIGN(earlier_seconds_, JsonDouble(state, "seconds", where));
  constexpr char kHint[] = "--fresh removes it; another --out leaves it alone";
  if (identity != identity_) return ConfigError("the run there has other settings", out_.string(), kHint);
  end_ = end == 0 ? its_end : end;
  if (end_ > 0 && step > end_) {
    return ConfigError(fmt::format("the run there is at step {} already, behind {}", step, end_), out_.string(), kHint);
  }
  const bool cooling = its_end > 0 && config_.cooldown_steps > 0 && step > its_end - config_.cooldown_steps;
  if (cooling && end_ != its_end) {
    return ConfigError(fmt::format("the run there has begun to cool down for its end at step {}", its_end),
                       out_.string(), kHint);
  }
  PINTLE_RETURN_IF_ERROR(SetPhase(PhaseAt(config_, std::max<int64_t>(step - 1, 0), end_)));
  PINTLE_RETURN_IF_ERROR(trainer_->Restore(checkpoint / "trainer"));
  if (trainer_->step() != step) return ValidationError("the trainer is at another step than its state", where);
  saved_step_ = step;
  return {};
}

Status TrmRun::Begin() {
  PINTLE_RETURN_IF_ERROR(MakeFolder(out_));
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(out_ / "config.toml", Toml(config_)));
  PINTLE_ASSIGN(log_, RunLog::Open(out_ / "run.jsonl", step()));
  began_ = summed_since_ = MonotonicSeconds();
  return log_->Write({{"type", "start"},
                      {"step", step()},
                      {"task", config_.task},
                      {"parameters", parameters()},
                      {"dtype", config_.dtype},
                      {"profile", config_.profile},
                      {"batch", config_.batch},
                      {"steps", end_},
                      {"threads", pool_.threads()},
                      {"memory_bytes", trainer_->memory_bytes()},
                      {"time", UtcTimestamp()}});
}

double TrmRun::seconds() const { return earlier_seconds_ + (began_ > 0 ? MonotonicSeconds() - began_ : 0); }

// The trainer plans its memory anew with each change, so only real changes go through.
Status TrmRun::SetPhase(const TrmPhase& phase) {
  const TrmConfig& network = model_->config();
  if (phase.h_cycles != network.h_cycles || phase.l_cycles != network.l_cycles) {
    PINTLE_RETURN_IF_ERROR(trainer_->SetCycles(phase.h_cycles, phase.l_cycles));
  }
  const TaskInfo& task = samples_->task().info();
  const int64_t rows = task.rows - phase.smaller, columns = task.cols - phase.smaller;
  if (rows * columns != network.cells) PINTLE_RETURN_IF_ERROR(trainer_->SetGrid(rows, columns));
  trainer_->set_learning_rate(phase.learning_rate);
  return {};
}

// The trainer keeps its own plan and its slots.
Status TrmRun::OnTaskGrid(const std::function<Status()>& work) {
  const TrmConfig before = model_->config();
  if (before.cells == samples_->task().cells()) return work();
  PINTLE_RETURN_IF_ERROR(model_->SetGrid(samples_->task().info().rows, samples_->task().info().cols));
  const Status done = work();
  PINTLE_RETURN_IF_ERROR(model_->SetGrid(before.rows, before.columns));
  return done;
}

Status TrmRun::Step() {
  const double start = MonotonicSeconds();
  const TrmPhase phase = PhaseAt(config_, step(), end_);
  PINTLE_RETURN_IF_ERROR(SetPhase(phase));
  PINTLE_RETURN_IF_ERROR(samples_->Fill(phase, trainer_->samples_taken(), trainer_->halted(), batch_));
  PINTLE_ASSIGN(const TrmStepReport report, trainer_->TrainStep(batch_));
  const double seconds = MonotonicSeconds() - start;
  seconds_per_step_ = seconds_per_step_ == 0 ? seconds : 0.9 * seconds_per_step_ + 0.1 * seconds;
  return Log(report, phase);
}

Status TrmRun::Log(const TrmStepReport& report, const TrmPhase& phase) {
  ++summed_steps_;
  sums_.lm_loss += report.lm_loss;
  sums_.q_loss += report.q_loss;
  sums_.gradient_norm += report.gradient_norm;
  sums_.cells += report.cells;
  sums_.right_cells += report.right_cells;
  sums_.exact += report.exact;
  sums_.finished += report.finished;
  sums_.finished_exact += report.finished_exact;
  sums_.finished_steps += report.finished_steps;
  sums_.finished_q_right += report.finished_q_right;
  const double slots = static_cast<double>(config_.batch * summed_steps_);
  figures_ = fmt::format("loss {:.4f}, exact {:.1f} %, cells {:.1f} %", sums_.lm_loss / slots,
                         100 * static_cast<double>(sums_.exact) / slots, 100 * Share(sums_.right_cells, sums_.cells));
  if (report.step % config_.log_interval != 0) return {};
  const double now = MonotonicSeconds(), passed = now - summed_since_;
  const Status written = log_->Write({{"type", "step"},
                                      {"step", report.step},
                                      {"loss", sums_.lm_loss / slots},
                                      {"q_loss", sums_.q_loss / slots},
                                      {"gradient_norm", sums_.gradient_norm / static_cast<double>(summed_steps_)},
                                      {"lr", phase.learning_rate},
                                      {"h_cycles", phase.h_cycles},
                                      {"l_cycles", phase.l_cycles},
                                      {"exact", static_cast<double>(sums_.exact) / slots},
                                      {"cells", Share(sums_.right_cells, sums_.cells)},
                                      {"finished", sums_.finished},
                                      {"finished_exact", Share(sums_.finished_exact, sums_.finished)},
                                      {"finished_steps", Share(sums_.finished_steps, sums_.finished)},
                                      {"halt_right", Share(sums_.finished_q_right, sums_.finished)},
                                      {"samples_per_s", slots / passed},
                                      {"seconds", seconds()}});
  sums_ = {};
  summed_steps_ = 0;
  summed_since_ = now;
  return written;
}

Result<TrmValidation> TrmRun::Validate(int64_t first, int64_t count) {
  const double start = MonotonicSeconds();
  PINTLE_ASSIGN(const std::vector<Sample> samples, samples_->Unseen(first, count));
  TrmBatch puzzles;
  for (const Sample& sample : samples) {
    AppendPuzzle(puzzles, sample.inputs, sample.labels, sample.puzzle_id, kPad);
  }
  TrmSolveOptions options;
  options.depth = config_.eval_depth;
  std::vector<TrmSolution> solutions;
  trainer_->SwapEma();
  const Status solved = OnTaskGrid([&]() -> Status {
    PINTLE_ASSIGN(solutions, SolveTrm(*model_, puzzles, options));
    return {};
  });
  trainer_->SwapEma();
  PINTLE_RETURN_IF_ERROR(solved);
  TrmValidation validation;
  const auto cells = static_cast<size_t>(samples_->task().cells());
  for (size_t i = 0; i < samples.size(); ++i) {
    const std::span<const int32_t> labels(puzzles.labels.data() + i * cells, cells);
    const TrmSolution& solution = solutions[i];
    validation.score.Add(solution.answer, labels, model_->config().vocab);
    validation.baseline.Add(samples_->task().Baseline(samples[i].inputs), labels, model_->config().vocab);
    const int64_t content = solution.content_step;
    validation.mean_steps +=
        static_cast<double>(content == 0 ? config_.eval_depth : content) / static_cast<double>(samples.size());
  }
  const double exact = validation.score.ExactShare(), right = validation.score.CellShare();
  LogInfo(kModule, fmt::format("step {}: exact {:.1f} %, cells {:.2f} % of {} unseen puzzles (baseline {:.1f} %, "
                               "{:.2f} %), mean steps {:.1f}",
                               step(), 100 * exact, 100 * right, samples.size(), 100 * validation.baseline.ExactShare(),
                               100 * validation.baseline.CellShare(), validation.mean_steps));
  PINTLE_RETURN_IF_ERROR(log_->Write({{"type", "validation"},
                                      {"step", step()},
                                      {"count", samples.size()},
                                      {"depth", config_.eval_depth},
                                      {"exact", exact},
                                      {"cells", right},
                                      {"baseline_exact", validation.baseline.ExactShare()},
                                      {"baseline_cells", validation.baseline.CellShare()},
                                      {"mean_steps", validation.mean_steps},
                                      {"seconds", seconds()}}));
  summed_since_ += MonotonicSeconds() - start;
  return validation;
}

Status TrmRun::Save() {
  if (saved_step_ == step()) return {};
  const fs::path target = out_ / "checkpoints" / fmt::format("step-{:08}", step());
  PINTLE_ASSIGN(StageOutput output, StageOutput::Create(target));
  PINTLE_RETURN_IF_ERROR(trainer_->Save(output.folder() / "trainer"));
  const json::object state = {{"identity", identity_}, {"step", step()}, {"end", end_}, {"seconds", seconds()}};
  PINTLE_RETURN_IF_ERROR(WriteFileAtomic(output.folder() / "state.json", DumpJson(state, 1) + "\n"));
  Manifest manifest;
  manifest.stage = "checkpoint";
  manifest.counts["step"] = step();
  PINTLE_RETURN_IF_ERROR(output.Commit(std::move(manifest)));
  const std::vector<fs::path> all = ListCheckpoints(out_);
  for (size_t i = 0; i + static_cast<size_t>(config_.keep_checkpoints) < all.size(); ++i)
    PINTLE_RETURN_IF_ERROR(RemoveAll(all[i]));
  saved_step_ = step();
  return log_->Write({{"type", "checkpoint"}, {"step", step()}, {"path", target.filename().string()}});
}

Result<std::string> TrmRun::WriteModel(const TrmValidation& validation) {
  const auto share = [](double value) { return fmt::format("{:.6f}", value); };
  const std::map<std::string, std::string> notes = {
      {"origin", "internal"},
      {"task", config_.task},
      {"task_options", OptionsToml(config_.options)},
      {"settings", Toml(config_)},
      {"run", identity_},
      {"data", samples_->data_sha256()},
      {"seed", std::to_string(config_.seed)},
      {"steps", std::to_string(step())},
      {"parameters", std::to_string(parameters())},
      {"puzzles", std::to_string(trainer_->samples_taken())},
      {"evaluated", std::to_string(validation.score.puzzles)},
      {"depth", std::to_string(config_.eval_depth)},
      {"exact", share(validation.score.ExactShare())},
      {"cells", share(validation.score.CellShare())},
      {"baseline_exact", share(validation.baseline.ExactShare())},
      {"baseline_cells", share(validation.baseline.CellShare())},
  };
  const fs::path folder = out_ / "model";
  std::string weights;
  PINTLE_RETURN_IF_ERROR(OnTaskGrid([&]() -> Status {
    PINTLE_ASSIGN(weights, trainer_->SaveModel(folder, notes));
    return {};
  }));
  PINTLE_RETURN_IF_ERROR(
      WriteFileAtomic(folder / "README.md", TrmCard(model_->config(), notes, weights, out_ / "run.jsonl")));
  return weights;
}

Status TrmRun::LogStop(const std::string& reason) {
  return log_->Write({{"type", "stop"}, {"step", step()}, {"reason", reason}});
}

std::string TrmRun::Plan() const {
  const TrmConfig& network = model_->config();
  const double flops =
      TrmFlopsPerEvaluation(network) * static_cast<double>((network.l_cycles + 1) * (network.h_cycles + 2));
  std::string file;
  if (samples_->file_puzzles() > 0) {
    file = fmt::format(", {:.0f} % of them from the {} of {}", 100 * config_.data_share, samples_->file_puzzles(),
                       config_.data);
  }
  return fmt::format(
      "{}: {} weights, {} x {} puzzles{}\n  D {}, {} mixing, T {}, n {}, {}; {:.2f} GFLOP a sample-step; {} of "
      "memory beside the weights; {} threads",
      config_.task, parameters(), end_ == 0 ? std::string("?") : std::to_string(end_), config_.batch, file,
      network.width, config_.mixing, network.h_cycles, network.l_cycles, config_.dtype, flops * 1e-9,
      HumanBytes(static_cast<double>(trainer_->memory_bytes())), pool_.threads());
}

}  // namespace pintle
