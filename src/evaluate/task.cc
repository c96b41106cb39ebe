#include "evaluate/task.h"

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "base/config.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"

namespace pintle {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

constexpr uint64_t kMaxFile = uint64_t{64} << 20;
constexpr size_t kMaxTasks = 100'000;

Result<std::string> OptionalString(const json::value& object, std::string_view key, const std::string& where,
                                   std::string fallback = {}) {
  const json::value* found = object.as_object().if_contains(key);
  if (found == nullptr || found->is_null()) return fallback;
  return JsonString(object, key, where);
}

// A crate name or an edition goes to the compiler's command line, so only plain characters pass.
bool IsIdentifier(std::string_view name) {
  if (name.empty() || name.size() > 64 || (name.front() >= '0' && name.front() <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// A relative path that stays inside: parts of plain characters, no "..", at most four deep.
bool IsInnerPath(std::string_view path) {
  if (path.empty() || path.size() > 128 || path.front() == '/' || path.back() == '/') return false;
  if (std::count(path.begin(), path.end(), '/') > 3 || path.find("..") != path.npos) return false;
  return std::all_of(path.begin(), path.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.' || c == '/';
  });
}

Result<TaskMode> ParseMode(std::string_view name, const std::string& where) {
  if (name == "main") return TaskMode::kMain;
  if (name == "test") return TaskMode::kTest;
  if (name == "crate") return TaskMode::kCrate;
  return ValidationError("unknown mode '" + std::string(name) + "' (main, test, crate)", where);
}

Status CheckTask(const Task& task, const std::string& where) {
  if (task.id.empty() || task.id.size() > 200) return ValidationError("a task needs an id of 1 to 200 bytes", where);
  if (task.tests.empty()) return ValidationError("the task has no tests", where);
  static const std::set<std::string> kEditions = {"2015", "2018", "2021", "2024"};
  if (kEditions.count(task.edition) == 0) return ValidationError("unknown edition '" + task.edition + "'", where);
  if (task.mode == TaskMode::kCrate && !IsIdentifier(task.crate)) {
    return ValidationError("mode crate needs a crate name that is an identifier", where);
  }
  if (task.mode != TaskMode::kCrate && task.prompt.find('{') == std::string::npos) {
    return ValidationError("the prompt opens no function body", where);
  }
  for (const auto& [path, text] : task.files) {
    if (!IsInnerPath(path)) return ValidationError("the file path '" + path + "' is not plain and relative", where);
  }
  return {};
}

Result<Task> LoadTaskFolder(const fs::path& folder) {
  Task task;
  const std::string where = folder.string();
  std::string mode = "test";
  std::vector<std::string> tags;
  std::string difficulty;
  const auto fields = [&](ConfigVisitor& visitor) {
    visitor.Section("");
    visitor.String("id", task.id, {}, "unique name");
    visitor.String("mode", mode, {"main", "test", "crate"}, "how the program is put together");
    visitor.String("crate", task.crate, {}, "crate name of mode crate");
    visitor.String("edition", task.edition, {"2015", "2018", "2021", "2024"}, "Rust edition");
    visitor.String("category", task.category, {}, "kind of task");
    visitor.String("difficulty", difficulty, {"", "easy", "medium", "hard"}, "for people");
    visitor.Strings("tags", tags, "for people");
  };
  task.id = folder.filename().string();
  task.category = "functions";
  PINTLE_RETURN_IF_ERROR(LoadConfigFile(folder / "metadata.toml", fields));
  PINTLE_ASSIGN(task.mode, ParseMode(mode, where));
  PINTLE_ASSIGN(task.prompt, ReadFile(folder / "prompt.rs", kMaxFile));
  PINTLE_ASSIGN(task.tests, ReadFile(folder / "tests.rs", kMaxFile));
  PINTLE_ASSIGN(std::string solution, ReadFile(folder / "solution.rs", kMaxFile));
  if (task.mode == TaskMode::kCrate) {
    task.canonical = std::move(solution);
  } else if (solution.compare(0, task.prompt.size(), task.prompt) == 0) {
    task.canonical = solution.substr(task.prompt.size());
  } else {
    return ValidationError("solution.rs does not begin with prompt.rs", where);
  }
  std::error_code missing;
  for (const auto& entry : fs::recursive_directory_iterator(folder / "files", missing)) {
    if (!entry.is_regular_file() || entry.is_symlink()) continue;
    const std::string name = fs::relative(entry.path(), folder / "files").generic_string();
    PINTLE_ASSIGN(task.files[name], ReadFile(entry.path(), kMaxFile));
  }
  PINTLE_RETURN_IF_ERROR(CheckTask(task, where));
  return task;
}

Result<TaskSet> LoadFolder(const fs::path& path) {
  TaskSet set;
  std::vector<fs::path> folders;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(path, code)) {
    if (entry.is_directory()) folders.push_back(entry.path());
  }
  if (code) return RuntimeError("cannot list the folder: " + code.message(), path.string());
  std::sort(folders.begin(), folders.end());
  if (!folders.empty() && !fs::exists(folders.front() / "metadata.toml", code)) {
    return UsageError("not a folder of tasks", path.string(),
                      "each task is a folder with metadata.toml, prompt.rs, solution.rs and tests.rs");
  }
  std::string identity;
  for (const fs::path& folder : folders) {
    PINTLE_ASSIGN(Task task, LoadTaskFolder(folder));
    for (const std::string* part : {&task.id, &task.prompt, &task.canonical, &task.tests, &task.crate, &task.edition}) {
      identity += Sha256Hex(*part);
    }
    for (const auto& [name, text] : task.files) identity += Sha256Hex(name) + Sha256Hex(text);
    set.tasks.push_back(std::move(task));
  }
  set.sha256 = Sha256Hex(identity);
  return set;
}

Result<TaskSet> LoadFile(const fs::path& path) {
  TaskSet set;
  PINTLE_ASSIGN(const std::string text, ReadFile(path, kMaxFile));
  set.sha256 = Sha256Hex(text);
  int64_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line(text.data() + begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    bool use = true;
    PINTLE_ASSIGN(Task task, ParseTask(line, path.string() + ":" + std::to_string(number), use));
    if (use) {
      set.tasks.push_back(std::move(task));
    } else {
      ++set.skipped;
    }
    if (set.tasks.size() > kMaxTasks) return ValidationError("more than 100,000 tasks", path.string());
  }
  return set;
}

}  // namespace

Result<Task> ParseTask(std::string_view line, const std::string& where, bool& use) {
  PINTLE_ASSIGN(const json::value value, ParseJson(line, where));
  if (!value.is_object()) return ValidationError("a task must be a JSON object", where);
  const json::object& object = value.as_object();
  Task task;
  PINTLE_ASSIGN(task.id, JsonString(value, "id", where));
  PINTLE_ASSIGN(const std::string mode, JsonString(value, "mode", where));
  PINTLE_ASSIGN(task.mode, ParseMode(mode, where));
  PINTLE_ASSIGN(task.tests, JsonString(value, "tests", where));
  PINTLE_ASSIGN(task.canonical, OptionalString(value, "canonical", where));
  PINTLE_ASSIGN(task.category, OptionalString(value, "category", where, "functions"));
  PINTLE_ASSIGN(task.edition, OptionalString(value, "edition", where, "2021"));
  PINTLE_ASSIGN(task.crate, OptionalString(value, "crate", where));
  if (task.mode == TaskMode::kCrate) {
    PINTLE_ASSIGN(task.prompt, OptionalString(value, "stub", where));
    PINTLE_ASSIGN(task.instructions, OptionalString(value, "blurb", where));
  } else {
    PINTLE_ASSIGN(task.prompt, JsonString(value, "prompt", where));
  }
  if (const json::value* stops = object.if_contains("stop")) {
    if (!stops->is_array()) return ValidationError("\"stop\" must be a list of texts", where);
    for (const json::value& stop : stops->as_array()) {
      if (!stop.is_string()) return ValidationError("\"stop\" must be a list of texts", where);
      task.stop.emplace_back(stop.as_string());
    }
  }
  if (const json::value* files = object.if_contains("files")) {
    if (!files->is_object()) return ValidationError("\"files\" must be an object of texts by path", where);
    for (const auto& [name, text] : files->as_object()) {
      if (!text.is_string()) return ValidationError("\"files\" must be an object of texts by path", where);
      task.files[std::string(name)] = std::string(text.as_string());
    }
  }
  if (const json::value* flag = object.if_contains("use")) {
    if (!flag->is_bool()) return ValidationError("\"use\" must be true or false", where);
    use = flag->as_bool();
  }
  PINTLE_RETURN_IF_ERROR(CheckTask(task, where));
  return task;
}

Result<TaskSet> LoadTasks(const fs::path& path) {
  std::error_code code;
  const bool folder = fs::is_directory(path, code);
  PINTLE_ASSIGN(TaskSet set, folder ? LoadFolder(path) : LoadFile(path));
  if (set.tasks.empty()) return ValidationError("no tasks", path.string());
  std::set<std::string> ids;
  for (const Task& task : set.tasks) {
    if (!ids.insert(task.id).second) return ValidationError("the id '" + task.id + "' stands twice", path.string());
  }
  set.name = path.has_filename() ? path.stem().string() : path.parent_path().filename().string();
  return set;
}

}  // namespace pintle
