// Every verb's registration function; main.cc calls them in the order of the help text. One file a verb.
#pragma once

#include "cli/command.h"

namespace pintle {

void RegisterM31rCrawl(Command& m31r);

}  // namespace pintle
