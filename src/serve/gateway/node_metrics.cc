#include "serve/gateway/node_metrics.h"

#include <string_view>
#include <unordered_map>

#include "serve/http/metric_set.h"

namespace pintle {
namespace {

struct Family {
  std::string comments, samples;
};

// The word after "# HELP " or "# TYPE "; empty for other lines.
std::string_view CommentedFamily(std::string_view line) {
  if (!line.starts_with("# HELP ") && !line.starts_with("# TYPE ")) return {};
  line.remove_prefix(7);
  return line.substr(0, line.find(' '));
}

// name{labels} value with one more label, or nothing if it is no sample.
std::string Labelled(std::string_view line, const std::string& label) {
  const size_t name = line.find_first_of("{ ");
  if (name == 0 || name == std::string_view::npos) return {};
  std::string sample(line.substr(0, name));
  sample += "{" + label;
  if (line[name] == ' ') return sample + "}" + std::string(line.substr(name)) + "\n";
  if (line.substr(name, 2) != "{}") sample += ",";
  return sample + std::string(line.substr(name + 1)) + "\n";
}

}  // namespace

std::string JoinMetrics(const std::vector<std::pair<std::string, std::string>>& texts) {
  std::vector<std::string> order;
  std::unordered_map<std::string, Family> families;
  for (const auto& [node, text] : texts) {
    const std::string label = MetricLabelText({{"node", node}});
    std::string family;  // of the samples that follow
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      const std::string_view commented = CommentedFamily(line);
      if (line.empty() || (line[0] == '#' && commented.empty())) continue;
      if (!commented.empty()) family = commented;
      if (families.try_emplace(family).second) order.push_back(family);
      Family& to = families[family];
      if (commented.empty()) {
        to.samples += Labelled(line, label);
      } else if (to.comments.find(line.substr(0, 7)) == std::string::npos) {
        to.comments += std::string(line) + "\n";
      }
    }
  }
  std::string joined;
  for (const std::string& name : order) joined += families[name].comments + families[name].samples;
  return joined;
}

}  // namespace pintle
