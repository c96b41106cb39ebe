// libFuzzer: ARC files from outside. What reads must also survive views, canvas and crop.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "puzzles/arc.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto problems = pintle::ParseArc(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz", "alone");
  if (!problems.ok()) return 0;
  const pintle::ArcSet set(std::move(problems).value(), pintle::kArcSide, 3, 1);
  pintle::RandomStream random(1, pintle::Purpose::kTest, size);
  (void)set.Draw(random);
  pintle::ArcVotes votes(set);
  for (const auto& query : set.Queries(0)) votes.Add(query, query.sample.labels, 0.5);
  (void)votes.Submission();
  return 0;
}
