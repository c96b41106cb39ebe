#include "wasm/trm_exports.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>

#include "base/thread_pool.h"
#include "models/trm/trainer.h"
#include "models/trm/trm.h"
#include "puzzles/task.h"
#include "tensor/tensor.h"

namespace pintle {
namespace {

struct Session {
  ThreadPool pool{1};
  std::unique_ptr<Task> task;
  std::unique_ptr<Trm> model;
  std::unique_ptr<TrmTrainer> trainer;  // after the model, which it refers to
  int32_t seed = 0;
  int32_t right_slots = 0;
  Tokens shown;  // what pintle_trm_puzzle returned
  TrmBatch puzzle;
  TrmCarry carry;
  TrmAnswer answer;
  Tokens symbols;  // of the answer
};

// The one session of this instance, and what went wrong last.
std::unique_ptr<Session> session;
std::string error;

constexpr int32_t kFailed = 1;

int32_t Failed(const Error& why) {
  error = why.Message();
  return kFailed;
}

Result<std::unique_ptr<Session>> Open(const std::string& name, bool attention, int32_t width, int32_t h_cycles,
                                      int32_t l_cycles, int32_t slots, int32_t seed) {
  auto opened = std::make_unique<Session>();
  PINTLE_ASSIGN(opened->task, MakeTask(name));
  const TaskInfo& info = opened->task->info();
  TrmConfig config;
  config.cells = opened->task->cells();
  config.vocab = opened->task->vocabulary();
  config.rows = info.rows;
  config.columns = info.cols;
  config.width = width;
  config.h_cycles = h_cycles;
  config.l_cycles = l_cycles;
  config.mixing = attention ? TrmMixing::kAttention : TrmMixing::kMlpT;
  config.positions = attention ? TrmPositions::kRope2d : TrmPositions::kNone;
  PINTLE_ASSIGN(opened->model, Trm::Create(config, true, opened->pool));
  opened->model->Init(static_cast<uint64_t>(seed));
  TrmTrainOptions options;
  options.slots = slots;
  options.seed = static_cast<uint64_t>(seed);
  PINTLE_ASSIGN(opened->trainer, TrmTrainer::Create(*opened->model, options, opened->pool));
  opened->seed = seed;
  return opened;
}

// Fresh puzzles for the slots that have halted.
TrmBatch Offer(const Session& s) {
  const auto halted = s.trainer->halted();
  const auto cells = static_cast<size_t>(s.task->cells());
  TrmBatch batch;
  batch.slots = static_cast<int64_t>(halted.size());
  batch.inputs.resize(halted.size() * cells);
  batch.labels.resize(halted.size() * cells);
  batch.puzzle_ids.resize(halted.size());
  auto index = static_cast<uint64_t>(s.trainer->samples_taken());
  for (size_t slot = 0; slot < halted.size(); ++slot) {
    if (halted[slot] == 0) continue;
    const Sample sample = s.task->Generate(static_cast<uint64_t>(s.seed), index++);
    std::copy(sample.inputs.begin(), sample.inputs.end(), batch.inputs.begin() + static_cast<ptrdiff_t>(slot * cells));
    std::copy(sample.labels.begin(), sample.labels.end(), batch.labels.begin() + static_cast<ptrdiff_t>(slot * cells));
  }
  return batch;
}

// An empty tensor if there is none of that name.
Tensor Find(const char* name) {
  if (session == nullptr) return {};
  for (const auto& tensors : {session->model->parameters().Weights(), session->model->Buffers()}) {
    for (const NamedTensor& tensor : tensors) {
      if (tensor.name == name) return tensor.tensor;
    }
  }
  return {};
}

}  // namespace

int32_t pintle_trm_open(const char* task, int32_t attention, int32_t width, int32_t h_cycles, int32_t l_cycles,
                        int32_t slots, int32_t seed) {
  error.clear();
  if (slots < 1 || slots > 4096 || seed < 0) {
    return Failed(UsageError("1 to 4096 slots and a seed that is not negative are needed"));
  }
  auto opened = Open(task, attention != 0, width, h_cycles, l_cycles, slots, seed);
  if (!opened.ok()) return Failed(opened.error());
  session = std::move(*opened);
  return 0;
}

const char* pintle_trm_error() { return error.c_str(); }
int32_t pintle_trm_rows() { return session == nullptr ? 0 : session->task->info().rows; }
int32_t pintle_trm_columns() { return session == nullptr ? 0 : session->task->info().cols; }
const char* pintle_trm_symbols() { return session == nullptr ? "" : session->task->info().symbols.c_str(); }

double pintle_trm_train_step(double learning_rate) {
  error.clear();
  if (session == nullptr) return std::numeric_limits<double>::quiet_NaN();
  session->trainer->set_learning_rate(learning_rate);
  const auto report = session->trainer->TrainStep(Offer(*session));
  if (!report.ok()) {
    Failed(report.error());
    return std::numeric_limits<double>::quiet_NaN();
  }
  session->right_slots = static_cast<int32_t>(report->exact);
  return report->lm_loss / static_cast<double>(session->trainer->options().slots);
}

int32_t pintle_trm_right_slots() { return session == nullptr ? 0 : session->right_slots; }

float* pintle_trm_tensor(const char* name) {
  const Tensor tensor = Find(name);
  return tensor.empty() ? nullptr : tensor.f32();
}

int32_t pintle_trm_tensor_size(const char* name) {
  const Tensor tensor = Find(name);
  return tensor.empty() ? 0 : static_cast<int32_t>(tensor.count());
}

void pintle_trm_weights_changed() {
  if (session == nullptr) return;
  session->model->WeightsChanged();
  // A new trainer takes them as the first average.
  const TrmTrainOptions options = session->trainer->options();
  auto trainer = TrmTrainer::Create(*session->model, options, session->pool);
  if (trainer.ok()) session->trainer = std::move(*trainer);
}

const int32_t* pintle_trm_puzzle(int32_t seed, int32_t index) {
  if (session == nullptr) return nullptr;
  const Sample sample = session->task->Generate(static_cast<uint64_t>(seed), static_cast<uint64_t>(index));
  session->shown = sample.inputs;
  session->shown.insert(session->shown.end(), sample.labels.begin(), sample.labels.end());
  return session->shown.data();
}

int32_t pintle_trm_solve(const int32_t* inputs) {
  error.clear();
  if (session == nullptr) return kFailed;
  Tokens tokens(inputs, inputs + session->task->cells());
  const bool known = std::all_of(tokens.begin(), tokens.end(),
                                 [](Token token) { return token >= 0 && token < session->task->vocabulary(); });
  if (!known) return Failed(ValidationError("a token outside of the vocabulary"));
  if (const auto solved = session->task->Solve(tokens); !solved.ok()) return Failed(solved.error());
  session->puzzle = {1, std::move(tokens), {}, {0}};
  session->carry = session->model->NewCarry(1);
  session->symbols.clear();
  return 0;
}

float pintle_trm_solve_step() {
  error.clear();
  if (session == nullptr || session->puzzle.slots == 0) return std::numeric_limits<float>::quiet_NaN();
  const bool averaged = session->trainer->step() > 0;
  if (averaged) session->trainer->SwapEma();
  const Status status = session->model->Step(session->puzzle, session->carry, session->answer);
  if (averaged) session->trainer->SwapEma();
  if (!status.ok()) {
    Failed(status.error());
    return std::numeric_limits<float>::quiet_NaN();
  }
  session->symbols = TrmArgmax(session->answer.logits, session->task->vocabulary());
  return session->answer.q[0];
}

const int32_t* pintle_trm_answer() {
  return session == nullptr || session->symbols.empty() ? nullptr : session->symbols.data();
}

int32_t pintle_trm_answer_is_right() {
  if (pintle_trm_answer() == nullptr) return 0;
  return session->task->Check(session->puzzle.inputs, session->symbols).right ? 1 : 0;
}

const float* pintle_trm_logits() { return pintle_trm_answer() == nullptr ? nullptr : session->answer.logits.data(); }

}  // namespace pintle
