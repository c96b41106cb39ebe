#include "serve/gateway/choose.h"

#include "base/hash.h"

namespace pintle {
namespace {

// FNV's last bytes hardly reach the upper bits, which decide here: one round of mixing (splitmix64's finaliser).
uint64_t Score(const std::string& name, uint64_t prefix_hash) {
  uint64_t x = Fnv1a(name) ^ prefix_hash;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace

std::optional<size_t> ChooseNode(std::span<const NodeLoad> nodes, uint64_t prefix_hash, int64_t slack) {
  std::optional<size_t> preferred, idlest;
  const auto score = [&](size_t i) { return Score(nodes[i].name, prefix_hash); };
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!nodes[i].ready || nodes[i].tried) continue;
    if (!preferred || score(i) > score(*preferred)) preferred = i;
    if (!idlest || nodes[i].in_flight < nodes[*idlest].in_flight) idlest = i;
  }
  if (!preferred) return std::nullopt;
  const bool sticks = prefix_hash != 0 && nodes[*preferred].in_flight <= nodes[*idlest].in_flight + slack;
  return sticks ? preferred : idlest;
}

}  // namespace pintle
