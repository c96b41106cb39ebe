// Mazes of N x N cells: find the shortest way from S to G and mark it. A maze is carved as a tree (a wall opens only
// where it touches one open cell, so no way around appears); walls opened afterwards stay open only if the shortest way
// stays the only shortest one. Walls thrown at random almost never give a single shortest way.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "puzzles/dihedral.h"
#include "puzzles/tasks.h"

namespace pintle {
namespace {

constexpr Token kWall = 1, kOpen = 2, kStart = 3, kGoal = 4, kWay = 5;

// Steps from one cell to all others.
struct Distances {
  std::vector<int> steps;  // -1: out of reach
  std::vector<int> ways;   // shortest ways there: 1, or 2 for several
};

class MazeTask final : public Task {
 public:
  MazeTask(TaskInfo info, double loops) : Task(std::move(info)), n_(this->info().rows), loops_(loops) {}

  [[nodiscard]] Sample Draw(RandomStream& random) const override {
    for (;;) {
      Sample sample{Carve(random), {}};
      if (!PlaceEnds(sample.inputs, random)) continue;
      OpenWalls(sample.inputs, random);
      auto label = Solve(sample.inputs);
      if (!label.ok()) continue;
      sample.labels = std::move(label).value();
      return sample;
    }
  }

  void Augment(Sample& sample, RandomStream& random) const override {
    const auto symmetry = static_cast<int>(random.NextBelow(8));
    sample.inputs = Turn(sample.inputs, symmetry);
    sample.labels = Turn(sample.labels, symmetry);
  }

  [[nodiscard]] Result<Tokens> Solve(const Tokens& inputs) const override {
    if (Count(inputs, kStart) != 1 || Count(inputs, kGoal) != 1) return ValidationError("one S and one G are needed");
    if (Count(inputs, kWay) != 0) return ValidationError("a way is drawn already", "", "leave its cells open");
    const auto start = Find(inputs, kStart), goal = Find(inputs, kGoal);
    const Distances from_start = Walk(inputs, start, false);
    if (from_start.steps[goal] < 0) return ValidationError("no way from S to G");
    if (from_start.ways[goal] > 1) return ValidationError("several shortest ways from S to G");
    Tokens label = inputs;
    for (size_t at = goal; at != start;) {
      for (const size_t next : Neighbours(at)) {
        if (from_start.steps[next] != from_start.steps[at] - 1 || inputs[next] == kWall) continue;
        at = next;
        break;
      }
      if (at != start) label[at] = kWay;
    }
    return label;
  }

  [[nodiscard]] Verdict Check(const Tokens& inputs, const Tokens& answer) const override {
    if (Count(inputs, kStart) != 1 || Count(inputs, kGoal) != 1) return {false, "the maze has not one S and one G"};
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (answer[i] == inputs[i] || (inputs[i] == kOpen && answer[i] == kWay)) continue;
      return {false, "the maze is changed at row " + std::to_string(static_cast<int>(i) / n_ + 1) + ", column " +
                         std::to_string(static_cast<int>(i) % n_ + 1)};
    }
    const auto start = Find(inputs, kStart), goal = Find(inputs, kGoal);
    const int along = Walk(answer, start, true).steps[goal];
    if (along < 0) return {false, "the marked cells do not lead from S to G"};
    const int shortest = Walk(inputs, start, false).steps[goal];
    if (along > shortest) {
      return {false,
              "the marked way takes " + std::to_string(along) + " steps, " + std::to_string(shortest) + " would do"};
    }
    if (Count(answer, kWay) != shortest - 1) return {false, "cells beside the way are marked"};
    return {true, {}};
  }

  [[nodiscard]] Tokens Baseline(const Tokens& inputs) const override { return inputs; }

  [[nodiscard]] std::string CanonicalForm(const Tokens& inputs) const override {
    std::string smallest = Line(inputs);
    for (int symmetry = 1; symmetry < 8; ++symmetry) smallest = std::min(smallest, Line(Turn(inputs, symmetry)));
    return smallest;
  }

 protected:
  [[nodiscard]] Token TokenOf(char character) const override {
    return character == '.' || character == '_' ? kOpen : Task::TokenOf(character);
  }
  // A blank is an open cell.
  [[nodiscard]] bool Skipped(char character) const override { return character == '\r'; }

 private:
  // Cells above, below, left and right; a cell outside is left out.
  struct Cells {
    std::array<size_t, 4> at{};
    size_t count = 0;
    [[nodiscard]] const size_t* begin() const { return at.data(); }
    [[nodiscard]] const size_t* end() const { return at.data() + count; }
  };
  [[nodiscard]] Cells Neighbours(size_t cell) const {
    const auto n = static_cast<size_t>(n_);
    Cells cells;
    if (cell >= n) cells.at[cells.count++] = cell - n;
    if (cell + n < n * n) cells.at[cells.count++] = cell + n;
    if (cell % n != 0) cells.at[cells.count++] = cell - 1;
    if (cell % n != n - 1) cells.at[cells.count++] = cell + 1;
    return cells;
  }

  static int Count(const Tokens& maze, Token token) {
    return static_cast<int>(std::count(maze.begin(), maze.end(), token));
  }
  static size_t Find(const Tokens& maze, Token token) {
    return static_cast<size_t>(std::find(maze.begin(), maze.end(), token) - maze.begin());
  }
  [[nodiscard]] Tokens Turn(const Tokens& maze, int symmetry) const {
    return Dihedral({n_, n_, maze}, symmetry).values;
  }

  // Breadth first; with `marked`, only marked cells and the two ends are open.
  [[nodiscard]] Distances Walk(const Tokens& maze, size_t start, bool marked) const {
    Distances found{std::vector<int>(maze.size(), -1), std::vector<int>(maze.size(), 0)};
    std::vector<size_t> queue{start};
    found.steps[start] = 0;
    found.ways[start] = 1;
    for (size_t head = 0; head < queue.size(); ++head) {
      const size_t at = queue[head];
      for (const size_t next : Neighbours(at)) {
        if (maze[next] == kWall || (marked && maze[next] == kOpen)) continue;
        if (found.steps[next] < 0) {
          found.steps[next] = found.steps[at] + 1;
          queue.push_back(next);
        }
        if (found.steps[next] == found.steps[at] + 1) found.ways[next] = std::min(2, found.ways[next] + found.ways[at]);
      }
    }
    return found;
  }

  // A growing tree: mostly on from the newest cell (long corridors), sometimes from any (branches).
  [[nodiscard]] Tokens Carve(RandomStream& random) const {
    Tokens maze(static_cast<size_t>(cells()), kWall);
    std::vector<size_t> growing{random.NextBelow(static_cast<uint32_t>(cells()))};
    maze[growing[0]] = kOpen;
    while (!growing.empty()) {
      const bool newest = random.NextBelow(4) != 0;
      const size_t pick = newest ? growing.size() - 1 : random.NextBelow(static_cast<uint32_t>(growing.size()));
      Cells free;
      for (const size_t next : Neighbours(growing[pick])) {
        int open = 0;
        for (const size_t beside : Neighbours(next)) open += maze[beside] == kOpen ? 1 : 0;
        if (maze[next] == kWall && open == 1) free.at[free.count++] = next;
      }
      if (free.count == 0) {
        growing.erase(growing.begin() + static_cast<std::ptrdiff_t>(pick));
        continue;
      }
      const size_t next = free.at[random.NextBelow(static_cast<uint32_t>(free.count))];
      maze[next] = kOpen;
      growing.push_back(next);
    }
    return maze;
  }

  // S anywhere; G in the farther half of what S can reach, at least N steps away. False: no cell is so far.
  bool PlaceEnds(Tokens& maze, RandomStream& random) const {
    std::vector<size_t> open, far;
    for (size_t cell = 0; cell < maze.size(); ++cell) {
      if (maze[cell] == kOpen) open.push_back(cell);
    }
    const size_t start = open[random.NextBelow(static_cast<uint32_t>(open.size()))];
    const Distances distances = Walk(maze, start, false);
    const int farthest = *std::max_element(distances.steps.begin(), distances.steps.end());
    for (const size_t cell : open) {
      if (distances.steps[cell] >= std::max(n_, farthest / 2)) far.push_back(cell);
    }
    if (far.empty()) return false;
    maze[start] = kStart;
    maze[far[random.NextBelow(static_cast<uint32_t>(far.size()))]] = kGoal;
    return true;
  }

  // Tries to open a share of the walls; one stays open if the way keeps N steps and stays the only shortest.
  void OpenWalls(Tokens& maze, RandomStream& random) const {
    const auto share = static_cast<uint32_t>(loops_ * 65536);
    if (share == 0) return;
    const size_t start = Find(maze, kStart), goal = Find(maze, kGoal);
    for (size_t cell = 0; cell < maze.size(); ++cell) {
      if (random.NextBelow(65536) >= share || maze[cell] != kWall) continue;
      maze[cell] = kOpen;
      const Distances distances = Walk(maze, start, false);
      if (distances.ways[goal] != 1 || distances.steps[goal] < n_) maze[cell] = kWall;
    }
  }

  int n_;
  double loops_;
};

}  // namespace

MadeTask MakeMazeTask(const std::string& name, const TaskOptions& options) {
  constexpr int kSmallest = 5, kLargest = 40;
  constexpr size_t kPrefix = 4;  // "maze"
  int n = 0;
  const char* end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data() + kPrefix, end, n);
  if (parsed.ptr != end || n < kSmallest || n > kLargest) {
    return ConfigError("no maze of this size: '" + name + "'", "task", "write maze5 to maze40");
  }
  if (!(options.maze_loops >= 0 && options.maze_loops <= 1)) {
    return ConfigError("maze_loops must lie in 0 to 1", "task");
  }
  TaskInfo info;
  info.name = name;
  info.help = "the only shortest way from S to G, at least " + std::to_string(n) + " steps";
  info.baseline = "the maze as it stands, no way marked";
  info.rows = info.cols = n;
  info.symbols = "~# SGo";
  info.colours = {0xFFFFFF, 0x323F4B, 0xF5F7FA, 0x16A34A, 0x9333EA, 0x60A5FA};
  return std::unique_ptr<Task>(std::make_unique<MazeTask>(std::move(info), options.maze_loops));
}

}  // namespace pintle
