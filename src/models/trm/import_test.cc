#include "models/trm/import.h"

#include <doctest/doctest.h>

#include <string>

#include "base/file.h"
#include "formats/safetensors.h"

namespace pintle {
namespace {

TrmConfig Small(TrmMixing mixing) {
  TrmConfig c;
  c.cells = 9;
  c.vocab = 5;
  c.prefix = 2;
  c.width = 32;
  c.heads = 2;
  c.mixing = mixing;
  c.positions = mixing == TrmMixing::kAttention ? TrmPositions::kRope : TrmPositions::kNone;
  c.inner_rounding = 256;
  return c;
}

}  // namespace

TEST_CASE("a model that was exported comes back by import, with the reference's names") {
  ThreadPool pool(1);
  TemporaryFolder folder;
  const auto path = folder.path() / "m.safetensors";
  for (const TrmMixing mixing : {TrmMixing::kMlpT, TrmMixing::kAttention}) {
    const auto model = Trm::Create(Small(mixing), false, pool);
    REQUIRE(model.ok());
    (*model)->Init(4);
    REQUIRE(ExportTrm(**model, path).ok());
    const auto file = SafetensorsFile::Open(path);
    REQUIRE(file.ok());
    CHECK(file->Find("model.inner.puzzle_emb.weights") != nullptr);
    CHECK(file->Find("model.inner.L_level.layers.1.mlp.down_proj.weight") != nullptr);
    TrmImportOptions options;
    options.prefix = 2;
    options.heads = 2;
    options.h_cycles = options.l_cycles = 2;
    if (mixing == TrmMixing::kAttention) {
      CHECK(ImportTrm(path, options, pool).error().hint == "give --cells, 81 for Sudoku, 900 for mazes and ARC");
      options.cells = 9;
    }
    const auto again = ImportTrm(path, options, pool);
    REQUIRE_MESSAGE(again.ok(), (again.ok() ? "" : again.error().Message()));
    CHECK((*again)->config().cells == 9);
    TrmBatch batch;
    batch.slots = 1;
    batch.inputs = {0, 1, 2, 3, 4, 0, 1, 2, 3};
    batch.puzzle_ids = {0};
    TrmCarry a = (*model)->NewCarry(1), b = (*again)->NewCarry(1);
    TrmAnswer ours, theirs;
    REQUIRE((*model)->Step(batch, a, ours).ok());
    REQUIRE((*again)->Step(batch, b, theirs).ok());
    CHECK(ours.logits == theirs.logits);
    options.inner_rounding = 32;
    CHECK(ImportTrm(path, options, pool).error().code == Code::kValidation);
  }
  // Our own rounding of the inner widths is seen in them.
  TrmConfig fine = Small(TrmMixing::kMlpT);
  fine.inner_rounding = 32;
  const auto model = Trm::Create(fine, false, pool);
  REQUIRE(model.ok());
  REQUIRE(ExportTrm(**model, path).ok());
  TrmImportOptions options;
  options.prefix = 2;
  const auto again = ImportTrm(path, options, pool);
  REQUIRE_MESSAGE(again.ok(), (again.ok() ? "" : again.error().Message()));
  CHECK((*again)->config().Inner(32) == 96);
  CHECK((*again)->config().Inner(11) == 32);
  REQUIRE(WriteFileAtomic(folder.path() / "x.pt", "no checkpoint at all, only text").ok());
  CHECK(ImportTrm(folder.path() / "x.pt", {}, pool).error().code == Code::kValidation);
}

}  // namespace pintle
