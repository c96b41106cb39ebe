#include "base/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "base/file.h"
#include "base/hash.h"
#include "base/toml_library.h"

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
    } else if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
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

// The place behind a TOML string that begins at `at`; the end of the line or text if it is not closed.
size_t BehindString(std::string_view text, size_t at) {
  const char quote = text[at];
  const std::string_view three = text.substr(at, 3);
  const bool lines = three.size() == 3 && three[1] == quote && three[2] == quote;
  for (size_t i = at + (lines ? 3 : 1); i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (lines ? text.substr(i, 3) == three : text[i] == quote) {
      return i + (lines ? 3 : 1);
    } else if (!lines && text[i] == '\n') {
      return i;
    }
  }
  return text.size();
}

// What toml++ 3.3 must not see, because it asserts or worse: a table header whose name begins with a sign ("[/x]") or
// not at all, and letters beyond ASCII outside of strings and comments.
Status CheckSigns(std::string_view text, const std::string& where) {
  int64_t line = 1;
  int depth = 0;  // of brackets in values
  bool line_start = true, header = false;
  const auto fail = [&](const char* what) { return ConfigError(what, fmt::format("{}:{}", where, line)); };
  const auto begins_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '"' || c == '\'' || c == ']';
  };
  for (size_t i = text.starts_with("\xef\xbb\xbf") ? 3 : 0; i < text.size();) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) > 127) return fail("a letter beyond ASCII outside of quotes");
    if (c == '\n') {
      ++line;
      line_start = true;
      header = false;
    }
    if (c == '\n' || c == ' ' || c == '\t') {
      ++i;
      continue;
    }
    const bool first = std::exchange(line_start, false);
    if (c == '#') {
      i = std::min(text.find('\n', i), text.size());
    } else if (c == '"' || c == '\'') {
      const size_t behind = BehindString(text, i);
      line += std::count(text.begin() + static_cast<std::ptrdiff_t>(i),
                         text.begin() + static_cast<std::ptrdiff_t>(behind), '\n');
      i = behind;
    } else if (c == '[' && first && depth == 0) {
      header = true;
      i += text.substr(i).starts_with("[[") ? 2 : 1;
      i = std::min(text.find_first_not_of(" \t", i), text.size());
      if (i == text.size() || !begins_name(text[i])) return fail("a table's name cannot begin like this");
    } else {
      if (!header && c == '[') ++depth;
      if (!header && c == ']' && depth > 0) --depth;
      ++i;
    }
  }
  return {};
}

Result<toml::table> Parse(std::string_view text, const std::string& where) {
  PINTLE_RETURN_IF_ERROR(CheckSigns(text, where));
  try {
    toml::parse_result parsed = toml::parse(text, where);
    if (parsed) return std::move(parsed).table();
    return ConfigError(std::string(parsed.error().description()),
                       fmt::format("{}:{}", where, parsed.error().source().begin.line));
  } catch (const TomlAssertion&) {
    return ConfigError("this is no TOML", where);
  }
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
  PINTLE_ASSIGN(const toml::table table, Parse(text, where));
  Loader loader(table, where);
  fields(loader);
  PINTLE_RETURN_IF_ERROR(loader.status);
  std::map<std::string, unsigned> leaves;
  CollectLeaves(table, "", leaves);
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
  const auto load = [&](const std::filesystem::path& file) -> Status {
    auto text = ReadFile(file, kLimit);
    if (text.ok()) return LoadConfig(*text, file.string(), fields, foreign);
    Error error = std::move(text).error();
    error.code = Code::kConfig;
    return error;
  };
  PINTLE_RETURN_IF_ERROR(load(path));
  std::filesystem::path local = path;
  local.replace_extension(".local" + path.extension().string());
  std::error_code code;
  if (!std::filesystem::exists(local, code)) return {};
  return load(local);
}

Status SetConfigValue(std::string_view assignment, const std::string& where, const ConfigFields& fields) {
  const size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) return ConfigError("expected key=value", where);
  const std::string key(assignment.substr(0, equals)), value(assignment.substr(equals + 1));
  if (key.find_first_of("[]\n") != std::string::npos) return ConfigError("expected key=value", where);
  // As it stands (numbers, lists, quoted text) or, failing that, as plain text.
  const bool as_it_stands = Parse(fmt::format("{} = {}", key, value), where).ok();
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
