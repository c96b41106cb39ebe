#include "serve/gateway/choose.h"

#include <doctest/doctest.h>

#include <array>
#include <vector>

namespace pintle {
namespace {

TEST_CASE("without a prefix the least loaded node is chosen, never one that is down or was tried") {
  std::vector<NodeLoad> nodes = {
      {"a", true, false, 2}, {"b", true, false, 1}, {"c", false, false, 0}, {"d", true, true, 0}};
  CHECK(ChooseNode(nodes, 0, 4) == 1);
  nodes[1].ready = false;
  CHECK(ChooseNode(nodes, 0, 4) == 0);
  nodes[0].tried = true;
  CHECK_FALSE(ChooseNode(nodes, 7, 4).has_value());
  CHECK_FALSE(ChooseNode({}, 7, 4).has_value());
}

TEST_CASE("a prefix sticks to its node until load differs too much") {
  std::vector<NodeLoad> nodes = {{"a", true, false, 0}, {"b", true, false, 0}, {"c", true, false, 0}};
  const size_t preferred = *ChooseNode(nodes, 12345, 4);
  CHECK(ChooseNode(nodes, 12345, 4) == preferred);
  nodes[preferred].in_flight = 4;
  CHECK(ChooseNode(nodes, 12345, 4) == preferred);
  nodes[preferred].in_flight = 5;
  CHECK(ChooseNode(nodes, 12345, 4) != preferred);
}

TEST_CASE("prefixes spread over the nodes, and only those of a lost node move") {
  const std::vector<NodeLoad> nodes = {{"a", true, false, 0}, {"b", true, false, 0}, {"c", true, false, 0}};
  std::vector<NodeLoad> without = nodes;
  without[0].ready = false;
  std::array<int, 3> count{};
  for (uint64_t prefix = 1; prefix <= 3000; ++prefix) {
    const size_t before = *ChooseNode(nodes, prefix, 4), after = *ChooseNode(without, prefix, 4);
    ++count[before];
    if (before != 0) CHECK(after == before);
  }
  for (const int n : count) CHECK(n > 800);
}

TEST_CASE("only what no node has begun is tried again") {
  CHECK(MayRetry(Outcome::kNotBegun));
  CHECK(MayRetry(Outcome::kBusy));
  for (const Outcome outcome :
       {Outcome::kAnswered, Outcome::kLost, Outcome::kTimeout, Outcome::kInvalid, Outcome::kClientLeft}) {
    CHECK_FALSE(MayRetry(outcome));
  }
}

}  // namespace
}  // namespace pintle
