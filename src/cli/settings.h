// Settings of a verb from all their places: flag (--set key=value) over environment (PINTLE_SECTION_KEY) over file
// (--config) over default; and where each value came from.
#pragma once

#include <map>
#include <string>

#include "base/config.h"
#include "cli/command.h"

namespace pintle {

/// Fills the fields. Sections of other stages in the same file are passed over. `origins`, if given, gets for each key
/// "section.key" one of "default", "file NAME", "environment NAME", "--set".
Status LoadSettings(const Global& global, const ConfigFields& fields,
                    std::map<std::string, std::string>* origins = nullptr);

}  // namespace pintle
