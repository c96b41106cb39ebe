#include "wasm/trm_exports.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/hash.h"

namespace pintle {
namespace {

constexpr int kCells = 16;

std::string FileOf(const std::string& name) {
  const auto text = ReadFile(std::string(PINTLE_SOURCE_DIR) + "/src/wasm/" + name);
  REQUIRE(text.ok());
  return *text;
}

template <typename T>
uint64_t Take(const T* values, size_t count, uint64_t hash) {
  return Fnv1a(std::string_view(reinterpret_cast<const char*>(values), count * sizeof(T)), hash);
}

}  // namespace

// The same calls as in tests/wasm_trm.js, which compares the module under Node with the same file.
TEST_CASE("a session trains and solves, with the bits that the module has under Node") {
  REQUIRE(pintle_trm_open("sudoku4", 0, 32, 2, 2, 6, 3) == 0);
  CHECK(pintle_trm_rows() == 4);
  CHECK(pintle_trm_columns() == 4);
  CHECK(std::string(pintle_trm_symbols()) == "~.1234");
  uint64_t hash = Fnv1a("");
  double first = 0, last = 0;
  for (int step = 0; step < 12; ++step) {
    last = pintle_trm_train_step(1e-2);
    if (step == 0) first = last;
    hash = Take(&last, 1, hash);
  }
  const int32_t* puzzle = pintle_trm_puzzle(9, 0);
  const std::vector<int32_t> inputs(puzzle, puzzle + kCells);
  CHECK(std::count(puzzle + kCells, puzzle + 2 * kCells, 1) == 0);
  REQUIRE(pintle_trm_solve(inputs.data()) == 0);
  CHECK(pintle_trm_answer() == nullptr);
  for (int step = 0; step < 3; ++step) {
    const float q = pintle_trm_solve_step();
    hash = Take(&q, 1, hash);
    hash = Take(pintle_trm_logits(), kCells * 6, hash);
    hash = Take(pintle_trm_answer(), kCells, hash);
  }
  char text[18];
  std::snprintf(text, sizeof text, "%016llx\n", static_cast<unsigned long long>(hash));
  CHECK(std::string(text) == FileOf("testdata/session.txt"));
  for (int step = 0; step < 80; ++step) last = pintle_trm_train_step(1e-3);
  CHECK(last < 0.9 * first);
}

TEST_CASE("weights are filled by name; training begins anew from them") {
  REQUIRE(pintle_trm_open("copy", 0, 16, 2, 2, 2, 1) == 0);
  CHECK(pintle_trm_tensor("nothing") == nullptr);
  CHECK(pintle_trm_tensor_size("nothing") == 0);
  const int32_t size = pintle_trm_tensor_size("lm_head.weight");
  REQUIRE(size == 10 * 16);
  const std::vector<int32_t> puzzle(pintle_trm_puzzle(1, 0), pintle_trm_puzzle(1, 0) + 20);
  std::fill_n(pintle_trm_tensor("lm_head.weight"), size, 0.0f);
  pintle_trm_weights_changed();
  REQUIRE(pintle_trm_solve(puzzle.data()) == 0);
  CHECK(pintle_trm_solve_step() == -5);  // the halting head before any training
  CHECK(std::count(pintle_trm_logits(), pintle_trm_logits() + 200, 0.0f) == 200);
  CHECK(pintle_trm_answer_is_right() == 0);
  CHECK(pintle_trm_train_step(1e-3) > 0);
  CHECK(pintle_trm_right_slots() == 0);
}

TEST_CASE("what cannot be is an error with its reason") {
  CHECK(pintle_trm_open("sudoku5", 0, 32, 2, 2, 4, 1) == 1);
  CHECK(std::string(pintle_trm_error()).find("sudoku5") != std::string::npos);
  CHECK(pintle_trm_open("sudoku4", 0, 33, 2, 2, 4, 1) == 1);
  CHECK(pintle_trm_open("sudoku4", 0, 32, 2, 2, 0, 1) == 1);
  REQUIRE(pintle_trm_open("sudoku4", 0, 32, 2, 2, 4, 1) == 0);
  CHECK(std::string(pintle_trm_error()).empty());
  CHECK(std::isnan(pintle_trm_solve_step()));
  std::vector<int32_t> inputs(kCells, 1);
  CHECK(pintle_trm_solve(inputs.data()) == 1);
  CHECK(std::string(pintle_trm_error()).find("several") != std::string::npos);
  inputs[0] = 9;
  CHECK(pintle_trm_solve(inputs.data()) == 1);
}

TEST_CASE("every function of the header is on the list of exports, and nothing else but the allocator") {
  const std::string header = FileOf("trm_exports.h"), list = FileOf("exports.txt");
  int declared = 0;
  for (size_t at = header.find(" pintle_trm_"); at != std::string::npos; at = header.find(" pintle_trm_", at + 1)) {
    const std::string line = header.substr(header.rfind('\n', at) + 1, at - header.rfind('\n', at));
    if (line.starts_with("//")) continue;
    ++declared;
    const std::string name = header.substr(at + 1, header.find('(', at) - at - 1);
    CHECK_MESSAGE(list.find("\"_" + name + "\"") != std::string::npos, name);
  }
  CHECK(declared > 10);
  CHECK(std::count(list.begin(), list.end(), '"') == 2 * (declared + 2));
}

}  // namespace pintle
