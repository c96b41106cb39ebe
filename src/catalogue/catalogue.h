// The models that are known by name: what each is, where its file comes from, what it needs. configs/models.toml is the
// list, and it is part of the program.
//
// Where it stands: this -> store.h (what is here) -> pull.h (fetching) -> cli and serve. It knows nothing of networks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pintle {

/// One model of the list.
struct CatalogueModel {
  std::string id;          ///< "qwen3-8b": what the user types
  std::string name;        ///< "Qwen3 8B": what the user reads
  std::string repository;  ///< OWNER/NAME on the hub
  std::string file;        ///< NAME.gguf in it, and here
  std::string licence;
  std::string sha256;     ///< of the file; "": whatever the first pull brings
  int64_t bytes = 0;      ///< of the file
  int64_t ram_bytes = 0;  ///< of a process that talks with it, 4096 positions long
  bool gated = false;     ///< the hub wants an account that has accepted the licence
};

/// Reads a list of [[model]] tables. Errors (an unknown key, an id twice, a name that could leave the folder, a hash
/// that is none) name the line.
Result<std::vector<CatalogueModel>> ParseCatalogue(std::string_view toml, const std::string& where);

/// The list that comes with the program, in the file's order.
const std::vector<CatalogueModel>& ShippedCatalogue();
/// Its text.
std::string_view ShippedCatalogueText();

/// Null if there is none of that id.
const CatalogueModel* FindCatalogueModel(const std::vector<CatalogueModel>& models, std::string_view id);

/// NAME.gguf of letters, digits and . _ - that does not begin with a dot: what a model's file may be called here.
bool IsModelFileName(std::string_view name);
/// 64 lower-case hexadecimal digits.
bool IsSha256Hex(std::string_view text);

}  // namespace pintle
