#include "puzzles/arc.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/json.h"

namespace pintle {
namespace {

// Two problems: "flip" turns left to right, "still" has a grid without any orientation and no known output.
constexpr const char* kFile = R"({
  "flip": {"train": [{"input": [[1, 2, 0]], "output": [[0, 2, 1]]}, {"input": [[3, 3], [3, 4]], "output": [[3, 3], [4, 3]]}],
           "test": [{"input": [[5, 6], [7, 8]], "output": [[6, 5], [8, 7]]}]},
  "still": {"test": [{"input": [[0]]}], "train": [{"input": [[0]], "output": [[0]]}]}
})";

std::vector<ArcProblem> Problems() { return ParseArc(kFile, "t", "alone").value(); }

std::string ErrorOf(const std::string& json) {
  const auto problems = ParseArc(json, "f.json", "alone");
  REQUIRE_FALSE(problems.ok());
  CHECK(problems.error().code == Code::kValidation);
  return problems.error().Message();
}

TEST_CASE("both shapes of files are read") {
  const auto problems = Problems();
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].id == "flip");
  CHECK(problems[0].train.size() == 2);
  CHECK(problems[0].train[1].output == Rectangle{2, 2, {3, 3, 4, 3}});
  CHECK(problems[1].test[0].output.rows == 0);
  const auto one =
      ParseArc(R"({"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[3]]}]})", "t.json", "t");
  REQUIRE(one.ok());
  CHECK(one->at(0).id == "t");
}

TEST_CASE("errors name task, pair, row and column") {
  const auto with = [](const std::string& grid) {
    return R"({"a": {"train": [{"input": [[1]], "output": )" + grid + R"(}], "test": [{"input": [[1]]}]}})";
  };
  CHECK(ErrorOf(with("[[1, 2], [3, 10]]")) ==
        "f.json: task a, train 1, output, row 2, column 2: a colour is a number from 0 to 9");
  CHECK(ErrorOf(with("[[1, 2], [3]]")) == "f.json: task a, train 1, output, row 2: the rows have different lengths");
  CHECK(ErrorOf(with("[]")) == "f.json: task a, train 1, output: a grid has 1 to 30 rows and columns");
  CHECK(ErrorOf(with("[[]]")) == "f.json: task a, train 1, output, row 1: a grid has 1 to 30 rows and columns");
  CHECK(ErrorOf(with("7")) == "f.json: task a, train 1, output: a list of rows is needed");
  CHECK(ErrorOf("[]") == "f.json: an object of ARC tasks is needed");
  CHECK(ErrorOf(R"({"a": {"train": []}})") == "f.json: task a: \"train\" must be a list of examples");
  CHECK(ErrorOf(R"({"a": 1})") == "f.json: task a: a task has \"train\" and \"test\"");
  CHECK(ErrorOf("{\"a\":\n  x").starts_with("f.json:2:3: not valid JSON: "));
  std::string wide = "[[0";
  for (int i = 0; i < kArcSide; ++i) wide += ", 0";
  CHECK(ErrorOf(with(wide + "]]")).ends_with("row 1: a grid has 1 to 30 rows and columns"));
}

TEST_CASE("every view is undone, and 0 stays 0") {
  const Rectangle grid{2, 3, {0, 1, 2, 3, 4, 9}};
  for (int symmetry = 0; symmetry < 8; ++symmetry) {
    const ArcView view{symmetry, {0, 3, 1, 2, 9, 8, 7, 6, 5, 4}};
    const Rectangle viewed = ApplyArcView(grid, view);
    CHECK(viewed.rows == (symmetry < 4 ? 2 : 3));
    CHECK(std::count(viewed.values.begin(), viewed.values.end(), 0) == 1);
    CHECK(UndoArcView(viewed, view) == grid);
  }
  const ArcSet set(Problems(), kArcSide, 20, 1);
  for (const ArcView& view : set.views(0)) CHECK(view.colours[0] == 0);
}

TEST_CASE("the eight symmetries are different, and each has its inverse") {
  const Rectangle grid{2, 3, {0, 1, 2, 3, 4, 5}};
  std::set<Tokens> seen;
  for (int symmetry = 0; symmetry < 8; ++symmetry) {
    const Rectangle turned = Dihedral(grid, symmetry);
    Tokens key = turned.values;
    key.push_back(turned.rows);
    seen.insert(key);
    CHECK(Dihedral(turned, InverseDihedral(symmetry)) == grid);
  }
  CHECK(seen.size() == 8);
  CHECK(Dihedral(grid, 4) == Rectangle{3, 2, {0, 3, 1, 4, 2, 5}});
  CHECK(Dihedral(grid, 1) == Rectangle{2, 3, {2, 1, 0, 5, 4, 3}});
}

TEST_CASE("views are apart; a problem that looks the same from everywhere has one") {
  const ArcSet set(Problems(), kArcSide, 20, 1);
  CHECK(set.views(0).size() == 20);
  CHECK(set.views(1).size() == 1);
  CHECK(set.puzzle_ids() == 22);
  CHECK(set.PuzzleId(0, 0) == 1);
  CHECK(set.PuzzleId(1, 0) == 21);
}

TEST_CASE("canvas and crop") {
  const Rectangle grid{2, 3, {0, 1, 2, 3, 4, 5}};
  const Tokens canvas = ArcCanvas(grid, kArcSide, 0, 0);
  CHECK(canvas[0] == 2);
  CHECK(canvas[3] == kArcEnd);
  CHECK(canvas[2 * kArcSide] == kArcEnd);
  CHECK(canvas[2 * kArcSide + 3] == kPad);
  CHECK(std::count(canvas.begin(), canvas.end(), kArcEnd) == 5);
  CHECK(CropArc(canvas) == grid);
  const Tokens moved = ArcCanvas(grid, kArcSide, 28, 27);
  CHECK(std::count(moved.begin(), moved.end(), kArcEnd) == 0);
  CHECK(moved[29 * kArcSide + 29] == 7);
  CHECK(CropArc(moved).rows == 0);
  CHECK(CropArc(Tokens(900, 11)).values.size() == 900);
  CHECK(CropArc(ArcCanvas(grid, 3, 0, 0)) == grid);
  CHECK(ArcCanvas(grid, 3, 1, 0)[0] == kPad);
  // A stair: 1 x 6 and 2 x 3 have the same area; the first one found stays.
  Tokens stair(900, kPad);
  std::fill(stair.begin(), stair.begin() + 6, 4);
  std::fill(stair.begin() + kArcSide, stair.begin() + kArcSide + 3, 4);
  CHECK(CropArc(stair).cols == 6);
  stair[kArcSide + 3] = 4;
  CHECK(CropArc(stair) == Rectangle{2, 4, Tokens(8, 2)});
}

TEST_CASE("training samples: input and label move together, by seed and index alone") {
  TemporaryFolder folder;
  const std::string path = (folder.path() / "arc.json").string();
  REQUIRE(WriteFileAtomic(path, kFile).ok());
  TaskOptions options;
  options.data = path;
  options.arc_side = kArcSide;
  const auto task = MakeTask("arc", options).value();
  std::set<size_t> places;
  for (uint64_t index = 0; index < 50; ++index) {
    const Sample sample = task->Generate(1, index);
    CHECK(sample.labels == task->Generate(1, index).labels);
    CHECK(sample.puzzle_id > 0);
    CHECK(sample.puzzle_id < task->info().puzzle_ids);
    const auto first = [](const Tokens& tokens) {
      return static_cast<size_t>(std::find_if(tokens.begin(), tokens.end(), [](Token t) { return t > kArcEnd; }) -
                                 tokens.begin());
    };
    CHECK(first(sample.inputs) == first(sample.labels));
    places.insert(first(sample.inputs));
    CHECK(task->Parse(task->Line(sample.inputs), "t").value() == sample.inputs);
  }
  CHECK(places.size() > 10);
  CHECK(places.contains(0));
  CHECK_FALSE(MakeTask("arc").ok());
  options.data = path + ".missing";
  CHECK_FALSE(MakeTask("arc", options).ok());
}

TEST_CASE("a folder of files; one problem of it; a canvas as large as needed or as small as wanted") {
  TemporaryFolder folder;
  REQUIRE(WriteFileAtomic(folder.path() / "b.json", kFile).ok());
  std::string large = R"({"train": [{"input": [[1, 2, 3, 4]], "output": [[2]]}], "test": [{"input": [[3]], "output": )";
  REQUIRE(WriteFileAtomic(folder.path() / "a.json", large + "[[1]]}]}").ok());
  TaskOptions options;
  options.data = folder.path().string();
  const ArcSet all = OpenArcSet(options).value();
  REQUIRE(all.problems().size() == 3);
  CHECK(all.problems()[0].id == "a");
  CHECK(all.problems()[1].id == "flip");
  CHECK(all.side() == 5);
  options.arc_side = 3;
  CHECK(OpenArcSet(options).value().problems().size() == 2);
  options.arc_problem = "a";
  CHECK_FALSE(OpenArcSet(options).ok());
  options.arc_side = 0;
  CHECK(OpenArcSet(options).value().problems().size() == 1);
  options.arc_problem = "b";
  CHECK(OpenArcSet(options).error().code == Code::kConfig);
  options.arc_problem = "a";
  options.data = (folder.path() / "a.json").string();
  const auto task = MakeTask("arc", options).value();
  const auto held_back = task->HeldBack();
  REQUIRE(held_back.size() == static_cast<size_t>(task->info().puzzle_ids) - 1);
  CHECK(CropArc(held_back[0].labels) == Rectangle{1, 1, {1}});
  // What is asked decides which data it is, the answers do not.
  REQUIRE(WriteFileAtomic(options.data, large + "[[7]]}]}").ok());
  CHECK(MakeTask("arc", options).value()->info().data_sha256 == task->info().data_sha256);
  large.replace(large.find("[[2]]"), 5, "[[5]]");
  REQUIRE(WriteFileAtomic(options.data, large + "[[7]]}]}").ok());
  CHECK(MakeTask("arc", options).value()->info().data_sha256 != task->info().data_sha256);
  const TemporaryFolder empty;
  options.data = empty.path().string();
  CHECK(OpenArcSet(options).error().code == Code::kValidation);
}

TEST_CASE("real problems are read; without known outputs nothing is held back") {
  TaskOptions options;
  options.data = std::string(PINTLE_SOURCE_DIR) + "/src/puzzles/testdata/arc";
  const auto task = MakeTask("arc", options).value();
  CHECK(task->info().rows == 6);
  CHECK(task->HeldBack().size() == 5 * 8);
  CHECK(ArcSet(Problems(), 5, 1, 0).Queries(1)[0].sample.labels == Tokens(25, kPad));
}

TEST_CASE("the views vote: most votes first, then the surer ones; pass@k and submission.json") {
  const ArcSet set(Problems(), kArcSide, 5, 1);
  const auto queries = set.Queries(0);
  REQUIRE(queries.size() == 5);
  ArcVotes votes(set);
  // The right answer twice; another one twice, less sure; a third once, very sure.
  const Rectangle right = set.problems()[0].test[0].output, wrong{1, 2, {1, 1}}, rare{1, 1, {9}};
  const auto vote = [&](size_t query, const Rectangle& grid, double confidence) {
    votes.Add(queries[query], ArcCanvas(ApplyArcView(grid, queries[query].view), kArcSide, 0, 0), confidence);
  };
  CHECK(queries[3].sample.labels == ArcCanvas(ApplyArcView(right, queries[3].view), kArcSide, 0, 0));
  vote(0, wrong, 0.5);
  vote(1, right, 0.5);
  vote(2, wrong, 0.5);
  vote(3, right, 0.6);
  vote(4, rare, 1.0);
  votes.Add(queries[0], Tokens(900, kPad), 1.0);
  const auto ranked = votes.Ranked(0, 0);
  REQUIRE(ranked.size() == 3);
  CHECK(ranked[0].grid == right);
  CHECK(ranked[0].votes == 2);
  CHECK(ranked[0].confidence == doctest::Approx(0.55));
  CHECK(ranked[1].grid == wrong);
  CHECK(ranked[2].grid == rare);
  CHECK(votes.PassAt(1) == 0.5);  // the second problem has no known output
  vote(0, wrong, 0.5);
  CHECK(votes.PassAt(1) == 0.0);
  CHECK(votes.PassAt(2) == 0.5);
  const std::string expected =
      "{\"flip\":[{\"attempt_1\":[[1,1]],\"attempt_2\":[[6,5],[8,7]]}],"
      "\"still\":[{\"attempt_1\":[[0]],\"attempt_2\":[[0]]}]}\n";
  CHECK(votes.Submission() == expected);
}

}  // namespace
}  // namespace pintle
