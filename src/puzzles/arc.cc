#include "puzzles/arc.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "base/check.h"

namespace pintle {
namespace {

ArcView RandomView(RandomStream& random) {
  ArcView view;
  view.symmetry = static_cast<int>(random.NextBelow(8));
  for (uint32_t i = kArcColours - 1; i > 1; --i) std::swap(view.colours[i], view.colours[1 + random.NextBelow(i)]);
  return view;
}

// What a problem shows of itself under a view, as one text.
std::string ViewedText(const ArcProblem& problem, const ArcView& view) {
  std::string text;
  const auto append = [&](const Rectangle& grid) {
    const Rectangle viewed = ApplyArcView(grid, view);
    text += std::to_string(viewed.rows) + "x" + std::to_string(viewed.cols) + ":";
    for (const Token colour : viewed.values) text += static_cast<char>('0' + colour);
  };
  for (const ArcPair& pair : problem.train) {
    append(pair.input);
    append(pair.output);
  }
  for (const ArcPair& pair : problem.test) append(pair.input);
  return text;
}

void AppendGrid(std::string& json, const Rectangle& grid) {
  for (int row = 0; row < grid.rows; ++row) {
    json += row == 0 ? "[[" : ",[";
    for (int col = 0; col < grid.cols; ++col) {
      json += (col == 0 ? "" : ",") + std::to_string(grid.values[grid.At(row, col)]);
    }
    json += "]";
  }
  json += "]";
}

}  // namespace

Rectangle ApplyArcView(const Rectangle& grid, const ArcView& view) {
  Rectangle viewed = Dihedral(grid, view.symmetry);
  for (Token& colour : viewed.values) colour = view.colours[static_cast<size_t>(colour)];
  return viewed;
}

Rectangle UndoArcView(const Rectangle& grid, const ArcView& view) {
  Rectangle plain = Dihedral(grid, InverseDihedral(view.symmetry));
  for (Token& colour : plain.values) {
    const auto* old = std::find(view.colours.begin(), view.colours.end(), static_cast<uint8_t>(colour));
    colour = static_cast<Token>(old - view.colours.begin());
  }
  return plain;
}

Tokens ArcCanvas(const Rectangle& grid, int side, int row, int col) {
  PINTLE_CHECK(row >= 0 && col >= 0 && row + grid.rows <= side && col + grid.cols <= side, "off the canvas");
  Rectangle canvas{side, side, Tokens(static_cast<size_t>(side) * static_cast<size_t>(side), kPad)};
  const int below = row + grid.rows, beside = col + grid.cols;
  for (int r = row; r < below; ++r) {
    for (int c = col; c < beside; ++c) {
      canvas.values[canvas.At(r, c)] = 2 + grid.values[grid.At(r - row, c - col)];
    }
    if (beside < side) canvas.values[canvas.At(r, beside)] = kArcEnd;
  }
  for (int c = col; c < beside && below < side; ++c) canvas.values[canvas.At(below, c)] = kArcEnd;
  return std::move(canvas.values);
}

Rectangle CropArc(const Tokens& canvas) {
  int side = 1;
  while (static_cast<size_t>(side) * static_cast<size_t>(side) < canvas.size()) ++side;
  PINTLE_CHECK(static_cast<size_t>(side) * static_cast<size_t>(side) == canvas.size(), "not a canvas");
  const auto row_begin = [&](int row) { return canvas.begin() + static_cast<ptrdiff_t>(row) * side; };
  Rectangle best;
  int width = side;  // columns that are coloured in all rows so far
  for (int rows = 1; rows <= side && width > 0; ++rows) {
    const auto row = row_begin(rows - 1);
    width = static_cast<int>(std::find_if(row, row + width, [](Token t) { return t <= kArcEnd; }) - row);
    if (rows * width > best.rows * best.cols) best = {rows, width, {}};
  }
  for (int row = 0; row < best.rows; ++row) {
    std::transform(row_begin(row), row_begin(row) + best.cols, std::back_inserter(best.values),
                   [](Token token) { return token - 2; });
  }
  return best;
}

ArcSet::ArcSet(std::vector<ArcProblem> problems, int side, int64_t views, uint64_t seed)
    : problems_(std::move(problems)), side_(side) {
  constexpr int64_t kTries = 5;
  for (size_t i = 0; i < problems_.size(); ++i) {
    std::vector<ArcView> kept{ArcView{}};
    std::set<std::string> seen{ViewedText(problems_[i], kept[0])};
    RandomStream random(seed, Purpose::kAugment, i);
    for (int64_t draw = 0; draw < kTries * (views - 1) && static_cast<int64_t>(kept.size()) < views; ++draw) {
      const ArcView view = RandomView(random);
      if (seen.insert(ViewedText(problems_[i], view)).second) kept.push_back(view);
    }
    first_id_.push_back(puzzle_ids_);
    puzzle_ids_ += static_cast<int32_t>(kept.size());
    views_.push_back(std::move(kept));
  }
}

Sample ArcSet::Draw(RandomStream& random) const {
  const size_t problem = random.NextBelow(static_cast<uint32_t>(problems_.size()));
  const size_t view = random.NextBelow(static_cast<uint32_t>(views_[problem].size()));
  const auto& pairs = problems_[problem].train;
  const size_t pair = random.NextBelow(static_cast<uint32_t>(pairs.size()));
  const Rectangle input = ApplyArcView(pairs[pair].input, views_[problem][view]);
  const Rectangle output = ApplyArcView(pairs[pair].output, views_[problem][view]);
  int row = 0, col = 0;
  if (pair != view % pairs.size()) {
    row = static_cast<int>(random.NextBelow(static_cast<uint32_t>(side_ - std::max(input.rows, output.rows) + 1)));
    col = static_cast<int>(random.NextBelow(static_cast<uint32_t>(side_ - std::max(input.cols, output.cols) + 1)));
  }
  return {ArcCanvas(input, side_, row, col), ArcCanvas(output, side_, row, col), PuzzleId(problem, view)};
}

std::vector<ArcQuery> ArcSet::Queries(size_t problem) const {
  std::vector<ArcQuery> queries;
  for (size_t test = 0; test < problems_[problem].test.size(); ++test) {
    const ArcPair& pair = problems_[problem].test[test];
    for (size_t view = 0; view < views_[problem].size(); ++view) {
      ArcQuery query{problem, test, views_[problem][view], {}};
      query.sample.inputs = ArcCanvas(ApplyArcView(pair.input, query.view), side_, 0, 0);
      query.sample.labels = Tokens(query.sample.inputs.size(), kPad);
      if (pair.output.rows > 0) query.sample.labels = ArcCanvas(ApplyArcView(pair.output, query.view), side_, 0, 0);
      query.sample.puzzle_id = PuzzleId(problem, view);
      queries.push_back(std::move(query));
    }
  }
  return queries;
}

std::string ArcSet::Text() const {
  std::string text = std::to_string(side_);
  for (size_t i = 0; i < problems_.size(); ++i) {
    text += "\n" + problems_[i].id + " " + std::to_string(views_[i].size()) + " " + ViewedText(problems_[i], ArcView{});
  }
  return text;
}

void ArcVotes::Add(const ArcQuery& query, const Tokens& answer, double confidence) {
  const Rectangle grid = UndoArcView(CropArc(answer), query.view);
  if (grid.rows == 0) return;
  Count& count = counts_[{query.problem, query.test}][{{grid.rows, grid.cols}, grid.values}];
  ++count.votes;
  count.confidence += confidence;
}

std::vector<ArcCandidate> ArcVotes::Ranked(size_t problem, size_t test) const {
  std::vector<ArcCandidate> candidates;
  const auto found = counts_.find({problem, test});
  if (found == counts_.end()) return candidates;
  for (const auto& [key, count] : found->second) {
    candidates.push_back(
        {{key.first.first, key.first.second, key.second}, count.votes, count.confidence / count.votes});
  }
  std::sort(candidates.begin(), candidates.end(), [](const ArcCandidate& a, const ArcCandidate& b) {
    if (a.votes != b.votes) return a.votes > b.votes;
    if (a.confidence != b.confidence) return a.confidence > b.confidence;
    return std::tie(a.grid.rows, a.grid.cols, a.grid.values) < std::tie(b.grid.rows, b.grid.cols, b.grid.values);
  });
  return candidates;
}

double ArcVotes::PassAt(int k) const {
  double sum = 0;
  for (size_t problem = 0; problem < set_.problems().size(); ++problem) {
    const auto& tests = set_.problems()[problem].test;
    int solved = 0;
    for (size_t test = 0; test < tests.size(); ++test) {
      const auto ranked = Ranked(problem, test);
      for (size_t i = 0; i < std::min(ranked.size(), static_cast<size_t>(k)); ++i) {
        solved += ranked[i].grid == tests[test].output ? 1 : 0;
      }
    }
    sum += static_cast<double>(solved) / static_cast<double>(tests.size());
  }
  return sum / static_cast<double>(set_.problems().size());
}

std::string ArcVotes::Submission() const {
  std::string json = "{";
  for (size_t problem = 0; problem < set_.problems().size(); ++problem) {
    json += (problem == 0 ? "\"" : ",\"") + set_.problems()[problem].id + "\":[";
    for (size_t test = 0; test < set_.problems()[problem].test.size(); ++test) {
      auto ranked = Ranked(problem, test);
      if (ranked.empty()) ranked.push_back({{1, 1, {0}}, 0, 0});
      json += test == 0 ? "{\"attempt_1\":" : ",{\"attempt_1\":";
      AppendGrid(json, ranked[0].grid);
      json += ",\"attempt_2\":";
      AppendGrid(json, ranked[ranked.size() > 1 ? 1 : 0].grid);
      json += "}";
    }
    json += "]";
  }
  return json + "}\n";
}

}  // namespace pintle
