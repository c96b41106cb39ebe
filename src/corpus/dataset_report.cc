#include "corpus/dataset_report.h"

#include <algorithm>
#include <bit>
#include <boost/json.hpp>

#include "base/json.h"

namespace pintle {
namespace json = boost::json;
namespace {

json::object Sums(const TextSums& sums) {
  return {{"documents", sums.documents},
          {"bytes", sums.bytes},
          {"lines", sums.lines},
          {"blank_lines", sums.blank_lines},
          {"comment_lines", sums.comment_lines},
          {"mean_line_bytes", sums.bytes / std::max<int64_t>(sums.lines, 1)},
          {"entropy_millibits_per_byte", EntropyMilliBits(sums.byte_counts)}};
}

// Parts per million, so that shares stay integers.
int64_t Ppm(int64_t part, int64_t all) { return all == 0 ? 0 : int64_t{1'000'000} * part / all; }

int64_t CountOf(const Manifest& manifest, const std::string& name) {
  const auto found = manifest.counts.find(name);
  return found == manifest.counts.end() ? 0 : found->second;
}

json::object Rules(const Manifest& filtered) {
  const int64_t files = CountOf(filtered, "files"), bytes = CountOf(filtered, "bytes");
  json::object rules;
  constexpr std::string_view kPrefix = "rejected/", kSuffix = "/files";
  for (const auto& [name, count] : filtered.counts) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    const std::string rule = name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
    const int64_t rule_bytes = CountOf(filtered, std::string(kPrefix) + rule + "/bytes");
    rules[rule] = json::object{{"files", count},
                               {"files_ppm", Ppm(count, files)},
                               {"bytes", rule_bytes},
                               {"bytes_ppm", Ppm(rule_bytes, bytes)}};
  }
  return rules;
}

}  // namespace

void TextSums::Add(std::string_view text) {
  ++documents;
  bytes += static_cast<int64_t>(text.size());
  for (const char c : text) ++byte_counts[static_cast<uint8_t>(c)];
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    const size_t first = line.find_first_not_of(" \t");
    ++lines;
    blank_lines += first == std::string_view::npos ? 1 : 0;
    comment_lines += first != std::string_view::npos && line.substr(first).starts_with("//") ? 1 : 0;
    begin = end + 1;
  }
}

void TextSums::Add(const TextSums& other) {
  documents += other.documents;
  bytes += other.bytes;
  lines += other.lines;
  blank_lines += other.blank_lines;
  comment_lines += other.comment_lines;
  for (size_t i = 0; i < byte_counts.size(); ++i) byte_counts[i] += other.byte_counts[i];
}

int64_t Log2Fixed(uint64_t x) {
  // Whole part from the top bit; each further bit by squaring the mantissa (in [1, 2), 31 bits behind the point).
  const int whole = std::bit_width(x) - 1;
  uint64_t mantissa = whole >= 31 ? x >> (whole - 31) : x << (31 - whole);
  int64_t result = int64_t{whole} << 16;
  for (int bit = 15; bit >= 0; --bit) {
    mantissa = mantissa * mantissa >> 31;
    if (mantissa >> 32 != 0) {
      mantissa >>= 1;
      result |= int64_t{1} << bit;
    }
  }
  return result;
}

int64_t EntropyMilliBits(const std::array<int64_t, 256>& counts) {
  int64_t total = 0;
  for (const int64_t count : counts) total += count;
  if (total == 0) return 0;
  // The sum of count * bits stays below 2^63 up to 2^41 bytes.
  const int64_t log_total = Log2Fixed(static_cast<uint64_t>(total));
  int64_t sum = 0;
  for (const int64_t count : counts) {
    if (count > 0) sum += count * (log_total - Log2Fixed(static_cast<uint64_t>(count)));
  }
  return sum / total * 1000 / 65536;
}

std::string DatasetReport::ToJson(const Manifest& filtered) const {
  json::object root;
  auto& split_list = root["splits"].emplace_object();
  TextSums all;
  for (int s = 0; s < kSplits; ++s) {
    json::object split = Sums(splits[static_cast<size_t>(s)]);
    split["left_out_near_held_out"] = left_out[static_cast<size_t>(s)];
    split["crates"] = std::count_if(crates.begin(), crates.end(),
                                    [&](const auto& crate) { return crate.second.split == static_cast<Split>(s); });
    split_list[SplitName(static_cast<Split>(s))] = std::move(split);
    all.Add(splits[static_cast<size_t>(s)]);
  }
  root["all"] = Sums(all);
  root["filter"] = json::object{{"files", CountOf(filtered, "files")},
                                {"bytes", CountOf(filtered, "bytes")},
                                {"kept_files", CountOf(filtered, "kept_files")},
                                {"kept_bytes", CountOf(filtered, "kept_bytes")},
                                {"mails_redacted", CountOf(filtered, "mails_redacted")},
                                {"rejected", Rules(filtered)}};
  const auto shares = [&](const std::map<std::string, Share>& map) {
    json::object object;
    for (const auto& [name, share] : map) {
      object[name] = json::object{
          {"documents", share.documents}, {"bytes", share.bytes}, {"bytes_ppm", Ppm(share.bytes, all.bytes)}};
    }
    return object;
  };
  root["sources"] = shares(sources);
  root["licences"] = shares(licences);
  // Largest first, equal ones by name.
  std::vector<const std::pair<const std::string, CrateShare>*> order;
  for (const auto& crate : crates) order.push_back(&crate);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return a->second.share.bytes != b->second.share.bytes ? a->second.share.bytes > b->second.share.bytes
                                                          : a->first < b->first;
  });
  auto& list = root["crates"].emplace_array();
  for (const auto* crate : order) {
    list.push_back(json::object{{"crate", crate->first},
                                {"split", SplitName(crate->second.split)},
                                {"documents", crate->second.share.documents},
                                {"bytes", crate->second.share.bytes}});
  }
  return DumpJson(root, 1) + "\n";
}

}  // namespace pintle
