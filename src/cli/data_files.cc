#include "cli/data_files.h"

#include <cstdlib>
#include <vector>

namespace pintle {

Result<std::filesystem::path> FindDataFile(const std::string& relative) {
  namespace fs = std::filesystem;
  std::error_code code;
  std::vector<fs::path> places;
  if (const char* data = std::getenv("PINTLE_DATA")) places.emplace_back(data);
  fs::path folder = fs::read_symlink("/proc/self/exe", code).parent_path();
  for (int i = 0; i < 4 && !folder.empty(); ++i) {
    places.push_back(folder);
    places.push_back(folder / "share" / "pintle");
    if (folder == folder.root_path()) break;
    folder = folder.parent_path();
  }
  for (const auto& place : places) {
    if (fs::exists(place / relative, code)) return place / relative;
  }
  return RuntimeError("a file that comes with the program is missing: " + relative, "",
                      "set PINTLE_DATA to the folder that holds configs/, models/ and benchmarks/");
}

Result<std::filesystem::path> FindBenchmarks(const std::string& option) {
  if (!option.empty()) return std::filesystem::path(option);
  return FindDataFile("benchmarks/rust-eval");
}

}  // namespace pintle
