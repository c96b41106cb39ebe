// In the place of arc_file.cc where files and JSON are not compiled in (WASM): the task arc cannot be made.
#include "puzzles/tasks.h"

namespace pintle {

MadeTask MakeArcTask(const std::string& /*name*/, const TaskOptions& /*options*/) {
  return ConfigError("this build reads no files of ARC problems", "arc");
}

}  // namespace pintle
