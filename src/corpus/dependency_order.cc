#include "corpus/dependency_order.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace pintle {
namespace {

std::string Folder(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? "" : path.substr(0, slash);
}

std::string FileName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string Join(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

// "a/b/../c" as "a/c"; a path that leaves the top resolves to nothing that exists.
std::string Normalise(const std::string& path) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string part = path.substr(begin, end - begin);
    if (part == ".." && !parts.empty()) {
      parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    begin = end + 1;
  }
  std::string out;
  for (const std::string& part : parts) out = Join(out, part);
  return out;
}

std::vector<std::string> Segments(const std::string& path) {
  std::vector<std::string> segments;
  for (size_t begin = path.starts_with("::") ? 2 : 0; begin <= path.size();) {
    const size_t end = std::min(path.find("::", begin), path.size());
    segments.push_back(path.substr(begin, end - begin));
    begin = end + 2;
  }
  return segments;
}

class Graph {
 public:
  Graph(const std::vector<CrateFile>& files, const std::string& crate) : files_(files), crate_(crate) {
    std::replace(crate_.begin(), crate_.end(), '-', '_');
    for (uint32_t i = 0; i < files.size(); ++i) by_path_.emplace(files[i].path, i);
    for (const CrateFile& file : files) {
      const std::string name = FileName(file.path);
      if (name == "lib.rs" || name == "main.rs") {
        uint32_t& root = roots_.emplace(Folder(file.path), by_path_.at(file.path)).first->second;
        if (name == "lib.rs") root = by_path_.at(file.path);
      }
    }
    for (uint32_t i = 0; i < files.size(); ++i) {
      places_.push_back(PlaceOf(files[i].path));
      modules_.emplace(places_.back().root + "|" + places_.back().module, i);
    }
    // The root of a namespace answers for its empty module path (lib.rs before main.rs).
    for (const auto& [folder, file] : roots_) modules_[folder + "|"] = file;
  }

  // The files that file i names, in the order of their paths; without itself.
  std::vector<uint32_t> Edges(uint32_t i) const {
    std::vector<uint32_t> edges;
    const auto add = [&](uint32_t j) {
      if (j != i) edges.push_back(j);
    };
    const std::string folder = Folder(files_[i].path), name = FileName(files_[i].path);
    const bool holds_folder = name == "mod.rs" || name == "lib.rs" || name == "main.rs" || IsOwnRoot(i);
    const std::string child_folder = holds_folder ? folder : Join(folder, name.substr(0, name.rfind('.')));
    for (const CrateFile::Module& module : files_[i].modules) {
      std::vector<std::string> candidates{Join(child_folder, module.name + ".rs"),
                                          Join(child_folder, module.name + "/mod.rs")};
      if (!module.path_attribute.empty()) candidates = {Normalise(Join(folder, module.path_attribute))};
      for (const std::string& candidate : candidates) {
        if (const auto found = by_path_.find(candidate); found != by_path_.end()) add(found->second);
      }
    }
    for (const std::string& use : files_[i].uses) {
      if (const int64_t j = Resolve(i, Segments(use)); j >= 0) add(static_cast<uint32_t>(j));
    }
    std::sort(edges.begin(), edges.end(), [&](uint32_t a, uint32_t b) { return files_[a].path < files_[b].path; });
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
    return edges;
  }

 private:
  // A file's module path within its namespace: the folder of the nearest lib.rs or main.rs above it. A file without one
  // (an integration test, an example) is a namespace of its own.
  struct Place {
    std::string root, module;
  };

  Place PlaceOf(const std::string& path) const {
    for (std::string folder = Folder(path);; folder = Folder(folder)) {
      if (roots_.contains(folder)) {
        std::string module = path.substr(folder.empty() ? 0 : folder.size() + 1);
        module.resize(module.rfind('.') == module.npos ? module.size() : module.rfind('.'));
        if (module == "lib" || module == "main" || module == "mod") module.clear();
        if (module.ends_with("/mod")) module.resize(module.size() - 4);
        return {folder, module};
      }
      if (folder.empty()) return {path, ""};
    }
  }

  bool IsOwnRoot(uint32_t i) const { return places_[i].root == files_[i].path; }

  // The file of the longest prefix of root|module/segments that is a module, or -1.
  int64_t Longest(const std::string& root, std::string module, const std::vector<std::string>& segments, size_t from,
                  bool itself) const {
    const auto find = [&]() -> int64_t {
      const auto found = modules_.find(root + "|" + module);
      return found == modules_.end() ? -1 : int64_t{found->second};
    };
    int64_t best = itself ? find() : -1;
    for (size_t s = from; s < segments.size(); ++s) {
      module = Join(module, segments[s]);
      const int64_t found = find();
      if (found < 0) break;
      best = found;
    }
    return best;
  }

  int64_t Resolve(uint32_t i, const std::vector<std::string>& segments) const {
    const Place& place = places_[i];
    if (segments[0] == "crate") return Longest(place.root, "", segments, 1, true);
    if (segments[0] == "self" || segments[0] == "super") {
      std::string module = place.module;
      size_t at = segments[0] == "self" ? 1 : 0;
      for (; at < segments.size() && segments[at] == "super"; ++at) module = Folder(module);
      return Longest(place.root, module, segments, at, true);
    }
    if (const int64_t child = Longest(place.root, place.module, segments, 0, false); child >= 0) return child;
    if (segments[0] != crate_) return -1;
    // Another target of the crate (test, example, binary) uses its library: the one that shares the longest folder.
    for (std::string folder = Folder(files_[i].path);; folder = Folder(folder)) {
      for (const std::string& root : {Join(folder, "src"), folder}) {
        if (roots_.contains(root)) return Longest(root, "", segments, 1, true);
      }
      if (folder.empty()) return -1;
    }
  }

  const std::vector<CrateFile>& files_;
  std::string crate_;
  std::map<std::string, uint32_t> by_path_, roots_;  // roots_: folder -> its lib.rs or main.rs
  std::vector<Place> places_;
  std::map<std::string, uint32_t> modules_;  // "root|a/b" -> file
};

}  // namespace

std::vector<uint32_t> DependencyOrder(const std::vector<CrateFile>& files, const std::string& crate) {
  const Graph graph(files, crate);
  std::vector<uint32_t> starts(files.size()), order;
  for (uint32_t i = 0; i < files.size(); ++i) starts[i] = i;
  std::sort(starts.begin(), starts.end(), [&](uint32_t a, uint32_t b) { return files[a].path < files[b].path; });
  // Depth first without recursion: a file is put out when everything it names has been, or is being, looked at.
  struct Visit {
    uint32_t file;
    std::vector<uint32_t> edges;
    size_t next = 0;
  };
  std::vector<uint8_t> seen(files.size(), 0);
  std::vector<Visit> stack;
  const auto enter = [&](uint32_t file) {
    if (seen[file] != 0) return;
    seen[file] = 1;
    stack.push_back({file, graph.Edges(file)});
  };
  for (const uint32_t start : starts) {
    enter(start);
    while (!stack.empty()) {
      Visit& top = stack.back();
      if (top.next < top.edges.size()) {
        enter(top.edges[top.next++]);
      } else {
        order.push_back(top.file);
        stack.pop_back();
      }
    }
  }
  return order;
}

}  // namespace pintle
