#include "base/config.h"

#include <fmt/format.h>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/file.h"
#include "base/hash.h"

namespace pintle {
namespace {

std::string Join(std::string_view section, std::string_view key) {
  return section.empty() ? std::string(key) : fmt::format("{}.{}", section, key);
}

std::string ShortestDouble(double value) {
  char buffer[40];
  std::string text(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string QuoteToml(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + '"';
}

// Writes the fields as TOML.
class Dumper : public ConfigVisitor {
 public:
  explicit Dumper(bool with_help) : with_help_(with_help) {}
  std::string out;

  void Section(std::string_view name) override {
    if (!name.empty()) out += fmt::format("{}[{}]\n", out.empty() ? "" : "\n", name);
  }
  void Int(std::string_view key, int64_t& value, int64_t low, int64_t high, std::string_view help) override {
    Line(key, std::to_string(value), fmt::format("{} ({} to {})", help, low, high));
  }
  void Double(std::string_view key, double& value, double low, double high, std::string_view help) override {
    Line(key, ShortestDouble(value), fmt::format("{} ({} to {})", help, low, high));
  }
  void Bool(std::string_view key, bool& value, std::string_view help) override {
    Line(key, value ? "true" : "false", std::string(help));
  }
  void String(std::string_view key, std::string& value, std::vector<std::string> choices,
              std::string_view help) override {
    Line(key, QuoteToml(value),
         choices.empty() ? std::string(help) : fmt::format("{} ({})", help, fmt::join(choices, ", ")));
  }
  void Strings(std::string_view key, std::vector<std::string>& value, std::string_view help) override {
    std::string list = "[";
    for (const auto& item : value) list += (list.size() > 1 ? ", " : "") + QuoteToml(item);
    Line(key, list + "]", std::string(help));
  }

 private:
  void Line(std::string_view key, const std::string& value, const std::string& help) {
    if (with_help_) out += fmt::format("# {}\n", help);
    out += fmt::format("{} = {}\n", key, value);
  }
  bool with_help_;
};

// Takes values out of a TOML table; remembers which keys exist so that the rest can be named as unknown.
class Loader : public ConfigVisitor {
 public:
  Loader(const toml::table& table, std::string where) : table_(table), where_(std::move(where)) {}
  Status status;
  std::set<std::string> known;

  void Section(std::string_view name) override { section_ = name; }
  void Int(std::string_view key, int64_t& value, int64_t low, int64_t high, std::string_view) override {
    const auto node = Find(key);
    if (!node) return;
    const auto number = node.value_exact<int64_t>();
    if (!number) return Fail(key, node, "an integer is needed");
    if (*number < low || *number > high)
      return Fail(key, node, fmt::format("{} is not within {} to {}", *number, low, high));
    value = *number;
  }
  void Double(std::string_view key, double& value, double low, double high, std::string_view) override {
    const auto node = Find(key);
    if (!node) return;
    const auto number = node.is_number() ? node.value<double>() : std::nullopt;
    if (!number) return Fail(key, node, "a number is needed");
    if (!(*number >= low && *number <= high)) {
      return Fail(key, node, fmt::format("{} is not within {} to {}", *number, low, high));
    }
    value = *number;
  }
  void Bool(std::string_view key, bool& value, std::string_view) override {
    const auto node = Find(key);
    if (!node) return;
    const auto flag = node.value_exact<bool>();
    if (!flag) return Fail(key, node, "true or false is needed");
    value = *flag;
  }
  void String(std::string_view key, std::string& value, std::vector<std::string> choices, std::string_view) override {
    const auto node = Find(key);
    if (!node) return;
    const auto text = node.value_exact<std::string>();
    if (!text) return Fail(key, node, "a text in quotes is needed");
    if (!choices.empty() && std::find(choices.begin(), choices.end(), *text) == choices.end()) {
      return Fail(key, node, fmt::format("'{}' is not one of {}", *text, fmt::join(choices, ", ")));
    }
    value = *text;
  }
  void Strings(std::string_view key, std::vector<std::string>& value, std::string_view) override {
    const auto node = Find(key);
    if (!node) return;
    const auto* array = node.as_array();
    if (array == nullptr) return Fail(key, node, "a list of texts is needed");
    std::vector<std::string> items;
    for (const auto& item : *array) {
      const auto text = item.value_exact<std::string>();
      if (!text) return Fail(key, node, "a list of texts is needed");
      items.push_back(*text);
    }
    value = std::move(items);
  }

 private:
  toml::node_view<const toml::node> Find(std::string_view key) {
    const std::string path = Join(section_, key);
    known.insert(path);
    return table_.at_path(path);
  }
  void Fail(std::string_view key, toml::node_view<const toml::node> node, const std::string& what) {
    if (!status.ok()) return;
    status = ConfigError(fmt::format("{}: {}", Join(section_, key), what),
                         fmt::format("{}:{}", where_, node.node()->source().begin.line));
  }
  const toml::table& table_;
  std::string where_, section_;
};

void CollectLeaves(const toml::table& table, const std::string& prefix, std::map<std::string, unsigned>& leaves) {
  for (const auto& [key, node] : table) {
    const std::string path = Join(prefix, key.str());
    if (const auto* child = node.as_table()) {
      CollectLeaves(*child, path, leaves);
    } else {
      leaves.emplace(path, node.source().begin.line);
    }
  }
}

// toml++ 3.3 asserts on a table header that begins with a sign ("[/x]"); such a line is named here first.
Status CheckHeaders(std::string_view text, const std::string& where) {
  int line = 1;
  for (size_t begin = 0; begin < text.size(); ++line) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view row = text.substr(begin, end - begin);
    begin = end + 1;
    row.remove_prefix(std::min(row.find_first_not_of(" \t"), row.size()));
    if (!row.starts_with('[')) continue;
    row.remove_prefix(row.starts_with("[[") ? 2 : 1);
    row.remove_prefix(std::min(row.find_first_not_of(" \t\r"), row.size()));
    const auto may_begin = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
             c == '"' || c == '\'' || c == ']';
    };
    if (!row.empty() && !may_begin(row.front())) {
      return ConfigError("a table's name cannot begin like this", fmt::format("{}:{}", where, line));
    }
  }
  return {};
}

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t previous = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = previous;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string NearestWord(std::string_view word, const std::vector<std::string>& words) {
  std::string best;
  size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : words) {
    const size_t distance = EditDistance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

Status LoadConfig(std::string_view text, const std::string& where, const ConfigFields& fields,
                  const std::vector<std::string>& foreign) {
  PINTLE_RETURN_IF_ERROR(CheckHeaders(text, where));
  const toml::parse_result parsed = toml::parse(text, where);
  if (!parsed) {
    return ConfigError(std::string(parsed.error().description()),
                       fmt::format("{}:{}", where, parsed.error().source().begin.line));
  }
  Loader loader(parsed.table(), where);
  fields(loader);
  PINTLE_RETURN_IF_ERROR(loader.status);
  std::map<std::string, unsigned> leaves;
  CollectLeaves(parsed.table(), "", leaves);
  for (const auto& [path, line] : leaves) {
    if (loader.known.contains(path)) continue;
    const bool elsewhere = std::any_of(foreign.begin(), foreign.end(), [&](const std::string& section) {
      return path == section || path.starts_with(section + ".");
    });
    if (elsewhere) continue;
    const std::string near = NearestWord(path, {loader.known.begin(), loader.known.end()});
    return ConfigError(fmt::format("unknown key '{}'", path), fmt::format("{}:{}", where, line),
                       near.empty() ? "`pintle config` prints every key" : fmt::format("did you mean '{}'?", near));
  }
  return {};
}

Status LoadConfigFile(const std::filesystem::path& path, const ConfigFields& fields,
                      const std::vector<std::string>& foreign) {
  constexpr uint64_t kLimit = 1 << 20;
  auto text = ReadFile(path, kLimit);
  if (!text.ok()) {
    Error error = std::move(text).error();
    error.code = Code::kConfig;
    return error;
  }
  PINTLE_RETURN_IF_ERROR(LoadConfig(*text, path.string(), fields, foreign));
  std::filesystem::path local = path;
  local.replace_extension(".local" + path.extension().string());
  std::error_code code;
  if (!std::filesystem::exists(local, code)) return {};
  PINTLE_ASSIGN(const std::string local_text, ReadFile(local, kLimit));
  return LoadConfig(local_text, local.string(), fields, foreign);
}

Status SetConfigValue(std::string_view assignment, const std::string& where, const ConfigFields& fields) {
  const size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) return ConfigError("expected key=value", where);
  const std::string key(assignment.substr(0, equals)), value(assignment.substr(equals + 1));
  if (key.find_first_of("[]\n") != std::string::npos) return ConfigError("expected key=value", where);
  // As it stands (numbers, lists, quoted text) or, failing that, as plain text.
  const bool as_it_stands = static_cast<bool>(toml::parse(fmt::format("{} = {}", key, value)));
  Status set = LoadConfig(fmt::format("{} = {}", key, as_it_stands ? value : QuoteToml(value)), where, fields);
  if (set.ok()) return set;
  Error error = set.error();
  error.where = where;  // a single assignment has no lines
  return error;
}

std::string DumpConfig(const ConfigFields& fields, bool with_help) {
  Dumper dumper(with_help);
  fields(dumper);
  return dumper.out;
}

std::string ConfigHash(const ConfigFields& fields) { return Sha256Hex(DumpConfig(fields, false)); }

}  // namespace pintle
