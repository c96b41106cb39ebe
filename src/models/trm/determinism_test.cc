// The numeric contract of the recursive model: the same bytes whatever the machine does, and whatever stands beside.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "kernels/target.h"
#include "models/trm/model_folder.h"
#include "models/trm/train_hash.h"
#include "models/trm/trainer.h"

namespace pintle {
namespace {

std::string Hash(const TrmHashCase& which, bool recompute, int threads) {
  ThreadPool pool(threads);
  const auto result = RunTrmHash(which, recompute, pool);
  REQUIRE(result.ok());
  return result->hash;
}

TrmConfig Small() {
  TrmConfig c;
  c.cells = 9;
  c.vocab = 4;
  c.width = 32;
  c.inner_rounding = 8;
  c.halt_max_steps = 3;
  return c;
}

TrmBatch Offered(const TrmConfig& config, int64_t slots, int32_t step) {
  TrmBatch batch;
  batch.slots = slots;
  for (int64_t i = 0; i < slots * config.cells; ++i) {
    batch.inputs.push_back(static_cast<int32_t>((i * 7 + step) % 4));
    batch.labels.push_back(static_cast<int32_t>((i * 7 + step + 1) % 4));
  }
  batch.puzzle_ids.assign(static_cast<size_t>(slots), 0);
  return batch;
}

TrmTrainOptions Options(int64_t slots) {
  TrmTrainOptions options;
  options.slots = slots;
  options.warmup_steps = 2;
  return options;
}

}  // namespace

TEST_CASE("twenty training steps learn; threads, recomputation and instruction sets do not show") {
  for (const TrmHashCase& which : TrmHashCases()) {
    CAPTURE(which.name);
    ThreadPool pool(2);
    const auto result = RunTrmHash(which, false, pool);
    REQUIRE(result.ok());
    CHECK(std::isfinite(result->first_loss));
    CHECK(result->last_loss < result->first_loss - 0.3);
    CHECK(Hash(which, false, 1) == result->hash);
    CHECK(Hash(which, true, 3) == result->hash);
    const kernels::Target before = kernels::ActiveTarget();
    if (kernels::SetTarget(kernels::Target::kAvx2)) CHECK(Hash(which, false, 2) == result->hash);
    if (which.profile == kernels::Profile::kMuladd && kernels::SetTarget(kernels::Target::kPortable)) {
      CHECK(Hash(which, false, 2) == result->hash);
    }
    kernels::SetTarget(before);
  }
}

TEST_CASE("a puzzle's answer does not depend on its neighbours, and the observer sees every state") {
  ThreadPool pool(2);
  for (const TrmMixing mixing : {TrmMixing::kMlpT, TrmMixing::kAttention, TrmMixing::kLocal}) {
    TrmConfig config = Small();
    config.mixing = mixing;
    config.rows = config.columns = 3;
    const auto model = Trm::Create(config, false, pool);
    REQUIRE(model.ok());
    Trm& trm = **model;
    trm.Init(5);
    const TrmBatch batch = Offered(config, 21, 0);
    TrmCarry carry = trm.NewCarry(21);
    TrmAnswer together, alone;
    REQUIRE(trm.Step(batch, carry, together).ok());
    REQUIRE(trm.Step(batch, carry, together).ok());
    TrmBatch one;
    one.slots = 1;
    one.inputs.assign(batch.inputs.begin() + 20 * config.cells, batch.inputs.end());
    one.puzzle_ids = {0};
    TrmCarry single = trm.NewCarry(1);
    std::vector<float> last;
    int64_t states = 0;
    for (int step = 0; step < 2; ++step) {
      REQUIRE(trm.Step(one, single, alone,
                       [&](const TrmStateView& view) {
                         CHECK(view.slots == 1);
                         ++states;
                         last.assign(view.z, view.z + (config.cells + 1) * config.width);
                       })
                  .ok());
    }
    const auto logits = static_cast<int64_t>(alone.logits.size());
    CHECK(std::equal(alone.logits.begin(), alone.logits.end(), together.logits.begin() + 20 * logits));
    CHECK(alone.q[0] == together.q[20]);
    CHECK(states == 2 * config.h_cycles * (config.l_cycles + 1));
    CHECK(last == single.z_h);
    std::vector<float> decoded;
    trm.Decode(single.z_h, 1, decoded);
    CHECK(decoded == alone.logits);
  }
}

TEST_CASE("a local model takes grids of any size, and is what it was on its own again") {
  ThreadPool pool(2);
  TrmConfig config = Small();
  config.mixing = TrmMixing::kLocal;
  config.rows = config.columns = 3;
  const auto model = Trm::Create(config, false, pool);
  REQUIRE(model.ok());
  (*model)->Init(3);
  const auto answer_of = [&](int64_t slots) {
    TrmCarry carry = (*model)->NewCarry(slots);
    TrmAnswer answer;
    REQUIRE((*model)->Step(Offered((*model)->config(), slots, 0), carry, answer).ok());
    return answer.logits;
  };
  const std::vector<float> before = answer_of(2);
  REQUIRE((*model)->SetGrid(4, 6).ok());
  CHECK(answer_of(1).size() == static_cast<size_t>(24 * config.vocab));
  REQUIRE((*model)->SetGrid(3, 3).ok());
  CHECK(answer_of(2) == before);
  CHECK((*model)->SetGrid(100, 100).error().what == "cells = 10000 is not between 1 and 4096");
  config.mixing = TrmMixing::kMlpT;
  CHECK((*Trm::Create(config, false, pool))->SetGrid(4, 6).error().what ==
        "the weights of this model belong to its 9 cells");
}

TEST_CASE("N steps, a checkpoint and M steps are N + M steps; the model folder comes back") {
  ThreadPool pool(2);
  TemporaryFolder folder;
  const TrmConfig config = Small();
  const auto run = [&](Trm& model, TrmTrainer& trainer, int32_t first, int32_t last) {
    for (int32_t step = first; step < last; ++step) {
      REQUIRE(trainer.TrainStep(Offered(config, 10, step)).ok());
    }
    return model.parameters().Find("lm_head.weight")->weight.f32()[7];
  };
  const auto whole = Trm::Create(config, true, pool), first = Trm::Create(config, true, pool);
  const auto second = Trm::Create(config, true, pool);
  REQUIRE(whole.ok());
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  (*whole)->Init(2);
  (*first)->Init(2);
  (*second)->Init(9);
  const auto at_once = TrmTrainer::Create(**whole, Options(10), pool),
             before = TrmTrainer::Create(**first, Options(10), pool);
  const auto after = TrmTrainer::Create(**second, Options(10), pool);
  REQUIRE(at_once.ok());
  REQUIRE(before.ok());
  REQUIRE(after.ok());
  const float expected = run(**whole, **at_once, 0, 7);
  run(**first, **before, 0, 4);
  REQUIRE((*before)->Save(folder.path() / "checkpoint").ok());
  REQUIRE((*after)->Restore(folder.path() / "checkpoint").ok());
  CHECK(run(**second, **after, 4, 7) == expected);
  const auto a = (*at_once)->SaveModel(folder.path() / "a", {{"task", "test"}});
  const auto b = (*after)->SaveModel(folder.path() / "b", {});
  REQUIRE(a.ok());
  REQUIRE(b.ok());
  CHECK(*a == *b);
  CHECK((*at_once)->samples_taken() == (*after)->samples_taken());

  const auto loaded = LoadTrm(folder.path() / "a", false, pool);
  REQUIRE(loaded.ok());
  CHECK(loaded->notes.at("task") == "test");
  CHECK(loaded->model->config().cells == config.cells);
  const TrmBatch batch = Offered(config, 3, 0);
  TrmAnswer ours, theirs;
  (*at_once)->SwapEma();
  TrmCarry carry = (*whole)->NewCarry(3), again = loaded->model->NewCarry(3);
  REQUIRE((*whole)->Step(batch, carry, ours).ok());
  REQUIRE(loaded->model->Step(batch, again, theirs).ok());
  CHECK(ours.logits == theirs.logits);

  TrmTrainOptions other = Options(10);
  other.seed = 3;
  const auto stranger = TrmTrainer::Create(**second, other, pool);
  REQUIRE(stranger.ok());
  const Status refused = (*stranger)->Restore(folder.path() / "checkpoint");
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == Code::kValidation);
}

TEST_CASE("batches, carries and weights that do not fit are refused") {
  ThreadPool pool(1);
  TemporaryFolder folder;
  const TrmConfig config = Small();
  const auto model = Trm::Create(config, true, pool);
  REQUIRE(model.ok());
  (*model)->Init(1);
  TrmBatch batch = Offered(config, 2, 0);
  TrmCarry carry = (*model)->NewCarry(2), small = (*model)->NewCarry(1);
  TrmAnswer answer;
  CHECK((*model)->Step(batch, small, answer).error().code == Code::kValidation);
  batch.inputs[11] = 4;
  CHECK((*model)->Step(batch, carry, answer).error().what == "symbol 4 is not between 0 and 3 (puzzle 1 of the batch)");
  batch.inputs[11] = 0;
  batch.puzzle_ids[0] = 1;
  CHECK((*model)->Step(batch, carry, answer).error().what ==
        "puzzle id 1 is not between 0 and 0 (puzzle 0 of the batch)");
  batch.inputs.pop_back();
  CHECK((*model)->Step(batch, carry, answer).error().code == Code::kValidation);

  Parameter& head = *(*model)->parameters().Find("lm_head.weight");
  head.weight.f32()[3] = __builtin_nanf("");
  REQUIRE(SaveTrm(folder.path() / "nan", **model, {}).ok());
  const auto not_finite = LoadTrm(folder.path() / "nan", false, pool);
  REQUIRE(!not_finite.ok());
  CHECK(not_finite.error().what == "'lm_head.weight' holds a value that is not finite");
  head.weight.f32()[3] = 0;
  REQUIRE(SaveTrm(folder.path() / "half", **model, {}, true).ok());
  CHECK(LoadTrm(folder.path() / "half", false, pool).ok());
  TrmConfig wider = config;
  wider.width = 48;
  const auto other = Trm::Create(wider, false, pool);
  const auto file = SafetensorsFile::Open(folder.path() / "half" / "model.safetensors");
  REQUIRE(file.ok());
  CHECK(ReadTrmWeights(*file, **other).error().code == Code::kValidation);
  TrmConfig broken = config;
  broken.width = 33;
  CHECK(Trm::Create(broken, false, pool).error().code == Code::kConfig);
}

}  // namespace pintle
