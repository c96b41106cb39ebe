#include "cli/settings.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace pintle {
namespace {

// Every top-level section that some verb reads: one file may hold them all.
const std::vector<std::string> kSections = {"filter", "dataset", "tokenizer", "shard", "model",
                                            "train",  "eval",    "trm",       "task"};

// "section.key" -> "value" of the present values.
std::map<std::string, std::string> Values(const ConfigFields& fields) {
  std::map<std::string, std::string> values;
  std::istringstream lines(DumpConfig(fields, false));
  std::string line, section;
  while (std::getline(lines, line)) {
    if (line.starts_with("[")) {
      section = line.substr(1, line.size() - 2) + ".";
    } else if (const size_t equals = line.find(" = "); equals != std::string::npos) {
      values[section + line.substr(0, equals)] = line.substr(equals + 3);
    }
  }
  return values;
}

std::string EnvironmentName(const std::string& key) {
  std::string name = "PINTLE_" + key;
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c == '.' || c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  return name;
}

}  // namespace

Status LoadSettings(const Global& global, const ConfigFields& fields, std::map<std::string, std::string>* origins) {
  const auto before = Values(fields);
  std::vector<std::string> own, foreign;
  for (const auto& [key, value] : before) own.push_back(key.substr(0, key.find('.')));
  for (const auto& section : kSections) {
    if (std::find(own.begin(), own.end(), section) == own.end()) foreign.push_back(section);
  }
  std::map<std::string, std::string> origin;
  for (const auto& [key, value] : before) origin[key] = "default";

  const auto note_changes = [&](const std::map<std::string, std::string>& old, const std::string& from) {
    for (const auto& [key, value] : Values(fields)) {
      if (old.at(key) != value) origin[key] = from;
    }
  };
  if (!global.config.empty()) {
    PINTLE_RETURN_IF_ERROR(LoadConfigFile(global.config, fields, foreign));
    note_changes(before, "file " + global.config);
  }
  for (const auto& [key, value] : before) {
    const std::string name = EnvironmentName(key);
    const char* text = std::getenv(name.c_str());
    if (text == nullptr) continue;
    PINTLE_RETURN_IF_ERROR(SetConfigValue(key + "=" + text, name, fields));
    origin[key] = "environment " + name;
  }
  for (const std::string& assignment : global.set) {
    const std::string key = assignment.substr(0, assignment.find('='));
    const bool elsewhere = std::any_of(foreign.begin(), foreign.end(), [&](const std::string& section) {
      return key == section || key.starts_with(section + ".");
    });
    if (elsewhere) continue;
    PINTLE_RETURN_IF_ERROR(SetConfigValue(assignment, "--set", fields));
    origin[key] = "--set";
  }
  if (origins != nullptr) origins->insert(origin.begin(), origin.end());
  return {};
}

}  // namespace pintle
