// Mazes beyond what task_test.cc asks of every task: the number of shortest ways by another count, and each error.
#include <doctest/doctest.h>

#include <algorithm>

#include "puzzles/task.h"

namespace pintle {
namespace {

// Shortest ways from S to G: powers of the adjacency relation, one step after the other, counted up to 1000.
int CountShortestWays(const Tokens& maze, int n, int& steps) {
  std::vector<int> ways(maze.size());
  for (size_t i = 0; i < maze.size(); ++i) ways[i] = maze[i] == 3 ? 1 : 0;
  const auto goal = static_cast<size_t>(std::find(maze.begin(), maze.end(), 4) - maze.begin());
  for (steps = 0; steps < n * n; ++steps) {
    if (ways[goal] > 0) return ways[goal];
    std::vector<int> next(maze.size());
    for (int row = 0; row < n; ++row) {
      for (int col = 0; col < n; ++col) {
        if (maze[static_cast<size_t>(row * n + col)] == 1) continue;
        int& sum = next[static_cast<size_t>(row * n + col)];
        const auto add = [&](int r, int c) {
          if (r >= 0 && r < n && c >= 0 && c < n) sum = std::min(1000, sum + ways[static_cast<size_t>(r * n + c)]);
        };
        add(row - 1, col);
        add(row + 1, col);
        add(row, col - 1);
        add(row, col + 1);
      }
    }
    ways = next;
  }
  return 0;
}

TEST_CASE("every maze has exactly one shortest way, at least N steps long, and the label marks it") {
  for (const double loops : {0.0, 0.3, 1.0}) {
    for (const int n : {5, 10, 15}) {
      TaskOptions options;
      options.maze_loops = loops;
      const auto task = MakeTask("maze" + std::to_string(n), options).value();
      for (uint64_t index = 0; index < 30; ++index) {
        const Sample sample = task->Generate(1, index);
        int steps = 0;
        CHECK(CountShortestWays(sample.inputs, n, steps) == 1);
        CHECK(steps >= n);
        CHECK(std::count(sample.labels.begin(), sample.labels.end(), 5) == steps - 1);
      }
    }
  }
}

TEST_CASE("loops open walls") {
  TaskOptions options;
  options.maze_loops = 1;
  const auto with = MakeTask("maze12", options).value(), without = MakeTask("maze12").value();
  std::ptrdiff_t more = 0, fewer = 0;
  for (uint64_t index = 0; index < 20; ++index) {
    const Tokens a = with->Generate(1, index).inputs, b = without->Generate(1, index).inputs;
    more += std::count(a.begin(), a.end(), 2);
    fewer += std::count(b.begin(), b.end(), 2);
  }
  CHECK(more > fewer + 100);
}

TEST_CASE("errors and verdicts") {
  const auto task = MakeTask("maze5").value();
  const auto tokens = [&](const char* text) { return task->Parse(text, "t").value(); };
  const auto solve = [&](const char* text) {
    const auto solved = task->Solve(tokens(text));
    return solved.ok() ? task->Line(*solved) : solved.error().what;
  };
  CHECK(solve("S....####.G....##########") == "Soooo####oGoooo##########");
  CHECK(solve("S....#####G....##########") == "no way from S to G");
  CHECK(solve("S.###..###.G#############") == "several shortest ways from S to G");
  CHECK(solve(".....####.G....##########") == "one S and one G are needed");
  CHECK(solve("Soo..####.G....##########") == "a way is drawn already");
  const Tokens maze = tokens("S....####.G....##.####...");
  const auto reason = [&](const char* answer) { return task->Check(maze, tokens(answer)).reason; };
  CHECK(reason("Soooo####oGoooo##.####...").empty());
  CHECK(reason("Soooo####oGo.oo##.####...") == "the marked cells do not lead from S to G");
  CHECK(reason("Soooo####oGoooo##o####...") == "cells beside the way are marked");
  CHECK(reason("Soooo#o##oGoooo##.####...") == "the maze is changed at row 2, column 2");
  const Tokens ring = tokens("S....G###.......#########");
  CHECK(task->Check(ring, tokens("Soooo.###ooooooG########S")).reason.empty() == false);
  CHECK_FALSE(MakeTask("maze4").ok());
  CHECK_FALSE(MakeTask("maze41").ok());
  CHECK_FALSE(MakeTask("maze").ok());
  CHECK_FALSE(MakeTask("maze10x").ok());
}

TEST_CASE("a detour is told from the shortest way") {
  const auto task = MakeTask("maze5").value();
  const auto tokens = [&](const char* text) { return task->Parse(text, "t").value(); };
  const Tokens maze = tokens("S..#..#.#...G############");
  const Verdict verdict = task->Check(maze, tokens("Soo#..#o#..oG############"));
  CHECK_FALSE(verdict.right);
}

}  // namespace
}  // namespace pintle
