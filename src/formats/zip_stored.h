// The directory of a zip archive whose entries are stored without compression, zip64 included: what torch.save writes.
// Not here: compression, encryption, writing. Every offset is checked before it is used.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pintle {

/// Name -> content, views into `bytes`. A compressed or encrypted entry, or one that points outside, is a validation
/// error.
Result<std::map<std::string, std::string_view>> ReadStoredZip(std::string_view bytes, const std::string& where);

}  // namespace pintle
