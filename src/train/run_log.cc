#include "train/run_log.h"

#include <boost/json.hpp>

#include "base/json.h"

namespace pintle {
namespace fs = std::filesystem;
namespace json = boost::json;

Result<RunLog> RunLog::Open(const fs::path& path, int64_t last_step) {
  std::error_code missing;
  if (fs::exists(path, missing)) {
    PINTLE_ASSIGN(const std::string old, ReadFile(path));
    std::string kept;
    for (size_t begin = 0; begin < old.size();) {
      const size_t end = old.find('\n', begin);
      if (end == std::string::npos) break;
      const std::string_view line = std::string_view(old).substr(begin, end - begin);
      begin = end + 1;
      const auto value = ParseJson(line, path.string());
      if (!value.ok()) continue;
      const auto step = JsonInt(*value, "step", "");
      const auto type = JsonString(*value, "type", "");
      const bool made_again = type.ok() && (*type == "validation" || *type == "sample");
      if (!step.ok() || *step < last_step || (*step == last_step && !made_again)) (kept += line) += '\n';
    }
    if (kept != old) PINTLE_RETURN_IF_ERROR(WriteFileAtomic(path, kept));
  }
  PINTLE_ASSIGN(File file, File::OpenAppend(path));
  return RunLog(std::move(file));
}

Status RunLog::Write(const json::object& line) { return file_.Write(DumpJson(line) + "\n"); }

}  // namespace pintle
