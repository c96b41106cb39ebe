// The models that lie in a folder, under the names that `pintle models` has for them: what was pulled, and what
// somebody put there by hand.
//
// Where it stands: model_shelf.h looks here again and again. It deliberately opens no model: what is half copied or no
// model at all is told apart by who reads it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pintle {

/// What looks like a model: NAME.gguf, or a folder with a config.json.
struct PlacedModel {
  std::string path;
  std::string name;                 ///< the catalogue's id for its files, else the file's name without its ending
  int64_t bytes = 0, modified = 0;  ///< while both stay, it is the same
};

/// Sorted by path; nothing where there is no such folder. Files whose names begin with a dot are left out.
std::vector<PlacedModel> FindPlacedModels(const std::string& folder);

}  // namespace pintle
