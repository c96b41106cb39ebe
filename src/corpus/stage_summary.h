// What a stage of the corpus hands back to its caller.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace pintle {

/// What a stage of the corpus did.
struct StageSummary {
  std::string id;                         ///< of the manifest
  bool up_to_date = false;                ///< nothing had to be done
  std::map<std::string, int64_t> counts;  ///< of the manifest
};

}  // namespace pintle
