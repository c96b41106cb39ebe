#include "formats/safetensors.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <limits>

#include "base/check.h"
#include "base/config.h"
#include "base/json.h"
#include "formats/half.h"

namespace pintle {
namespace json = boost::json;
namespace {

// Larger headers exist nowhere; the limit of the reference implementation.
constexpr uint64_t kMaxHeader = 100'000'000;
constexpr size_t kMaxRank = 8;

struct DtypeRow {
  FileDtype dtype;
  std::string_view name;
  int64_t size;
};
constexpr std::array<DtypeRow, 13> kDtypes = {{{FileDtype::kF64, "F64", 8},
                                               {FileDtype::kF32, "F32", 4},
                                               {FileDtype::kF16, "F16", 2},
                                               {FileDtype::kBF16, "BF16", 2},
                                               {FileDtype::kI64, "I64", 8},
                                               {FileDtype::kI32, "I32", 4},
                                               {FileDtype::kI16, "I16", 2},
                                               {FileDtype::kI8, "I8", 1},
                                               {FileDtype::kU64, "U64", 8},
                                               {FileDtype::kU32, "U32", 4},
                                               {FileDtype::kU16, "U16", 2},
                                               {FileDtype::kU8, "U8", 1},
                                               {FileDtype::kBool, "BOOL", 1}}};

Error Bad(const std::string& where, const std::string& what) {
  return ValidationError("damaged safetensors file: " + what, where);
}

// Keys written at depths 1 and 2. The JSON library keeps the last of two equal keys, so fewer members than keys means a
// double one.
size_t CountKeys(std::string_view text) {
  size_t keys = 0;
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (c == ':') keys += depth <= 2 ? 1 : 0;
    if (c != '"') continue;
    for (++i; i < text.size() && text[i] != '"'; ++i) i += text[i] == '\\' ? 1 : 0;
  }
  return keys;
}

// A non-negative integer below 2^63.
bool Natural(const json::value& value, uint64_t& out) {
  if (const auto* number = value.if_int64(); number != nullptr && *number >= 0) {
    out = static_cast<uint64_t>(*number);
    return true;
  }
  return false;
}

Status ParseEntry(const json::value& value, uint64_t data_begin, uint64_t data_size, const std::string& where,
                  SafetensorsEntry& entry) {
  const std::string tensor = "tensor " + JsonQuote(entry.name) + ": ";
  const auto* object = value.if_object();
  if (object == nullptr) return Bad(where, tensor + "not an object");
  const auto* dtype = object->if_contains("dtype");
  const auto* shape = object->if_contains("shape");
  const auto* offsets = object->if_contains("data_offsets");
  if (dtype == nullptr || shape == nullptr || offsets == nullptr || object->size() != 3 || !dtype->is_string() ||
      !shape->is_array() || !offsets->is_array()) {
    return Bad(where, tensor + "wants exactly dtype, shape and data_offsets");
  }
  const std::string_view dtype_name(dtype->get_string().data(), dtype->get_string().size());
  const auto* row =
      std::find_if(kDtypes.begin(), kDtypes.end(), [&](const DtypeRow& r) { return r.name == dtype_name; });
  if (row == kDtypes.end()) return Bad(where, tensor + "unknown dtype " + JsonQuote(dtype_name));
  entry.dtype = row->dtype;
  if (shape->get_array().size() > kMaxRank) return Bad(where, tensor + "more than 8 dimensions");
  uint64_t bytes = static_cast<uint64_t>(row->size);
  bool empty = false;
  for (const auto& item : shape->get_array()) {
    uint64_t extent = 0;
    if (!Natural(item, extent)) return Bad(where, tensor + "a dimension is not a natural number");
    entry.shape.push_back(static_cast<int64_t>(extent));
    empty = empty || extent == 0;
    if (extent != 0 && bytes > std::numeric_limits<int64_t>::max() / extent) {
      return Bad(where, tensor + "the shape overflows");
    }
    bytes *= extent == 0 ? 1 : extent;
  }
  if (empty) bytes = 0;
  uint64_t begin = 0;
  uint64_t end = 0;
  const auto& pair = offsets->get_array();
  if (pair.size() != 2 || !Natural(pair[0], begin) || !Natural(pair[1], end) || begin > end || end > data_size) {
    return Bad(where, tensor + "data_offsets outside the file");
  }
  if (end - begin != bytes) {
    return Bad(where,
               tensor + "holds " + std::to_string(end - begin) + " bytes, its shape wants " + std::to_string(bytes));
  }
  entry.offset = data_begin + begin;
  entry.size = bytes;
  return {};
}

// The data of the tensors must tile the file from data_begin to its end.
Status CheckTiling(const std::vector<SafetensorsEntry>& tensors, uint64_t data_begin, uint64_t file_size,
                   const std::string& where) {
  std::vector<const SafetensorsEntry*> order;
  for (const auto& entry : tensors) order.push_back(&entry);
  std::sort(order.begin(), order.end(),
            [](const auto* a, const auto* b) { return std::pair(a->offset, a->size) < std::pair(b->offset, b->size); });
  uint64_t next = data_begin;
  for (const auto* entry : order) {
    if (entry->offset != next) {
      return Bad(where, "tensor " + JsonQuote(entry->name) +
                            (entry->offset < next ? " overlaps another" : " leaves a hole before it"));
    }
    next += entry->size;
  }
  if (next != file_size) return Bad(where, std::to_string(file_size - next) + " bytes behind the last tensor");
  return {};
}

template <typename Raw, typename Out, typename Convert>
void ConvertAll(const std::string& bytes, Out* out, const Convert& convert) {
  for (size_t i = 0; i < bytes.size() / sizeof(Raw); ++i) {
    Raw raw;
    std::memcpy(&raw, bytes.data() + i * sizeof(Raw), sizeof raw);
    out[i] = static_cast<Out>(convert(raw));
  }
}

// `bytes` of a floating dtype to Out = float or double; false for another dtype.
template <typename Out>
bool ConvertFloats(FileDtype dtype, const std::string& bytes, Out* out) {
  switch (dtype) {
    case FileDtype::kF64:
      ConvertAll<double>(bytes, out, [](double x) { return x; });
      return true;
    case FileDtype::kF32:
      ConvertAll<float>(bytes, out, [](float x) { return x; });
      return true;
    case FileDtype::kF16:
      ConvertAll<uint16_t>(bytes, out, FloatOfF16);
      return true;
    case FileDtype::kBF16:
      ConvertAll<uint16_t>(bytes, out, FloatOfBF16);
      return true;
    default:
      return false;
  }
}

}  // namespace

int64_t FileDtypeSize(FileDtype dtype) { return kDtypes.at(static_cast<size_t>(dtype)).size; }
std::string_view FileDtypeName(FileDtype dtype) { return kDtypes.at(static_cast<size_t>(dtype)).name; }

Result<SafetensorsHeader> ParseSafetensorsHeader(std::string_view header_json, uint64_t file_size,
                                                 const std::string& where) {
  const uint64_t data_begin = 8 + header_json.size();
  if (file_size < data_begin) return Bad(where, "the header is longer than the file");
  PINTLE_ASSIGN(const json::value root, ParseJson(header_json, where));
  if (!root.is_object()) return Bad(where, "the header is not a JSON object");
  SafetensorsHeader header;
  size_t members = root.get_object().size();
  for (const auto& member : root.get_object()) {
    const std::string name(member.key());
    if (member.value().is_object()) members += member.value().get_object().size();
    if (name == "__metadata__") {
      if (!member.value().is_object()) return Bad(where, "__metadata__ is not an object");
      for (const auto& item : member.value().get_object()) {
        if (!item.value().is_string()) return Bad(where, "a metadata value is not a string");
        header.metadata.emplace(std::string(item.key()), std::string(item.value().get_string()));
      }
      continue;
    }
    SafetensorsEntry entry;
    entry.name = name;
    PINTLE_RETURN_IF_ERROR(ParseEntry(member.value(), data_begin, file_size - data_begin, where, entry));
    header.tensors.push_back(std::move(entry));
  }
  if (CountKeys(header_json) != members) return Bad(where, "a name occurs twice");
  std::sort(header.tensors.begin(), header.tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  PINTLE_RETURN_IF_ERROR(CheckTiling(header.tensors, data_begin, file_size, where));
  return header;
}

Result<SafetensorsFile> SafetensorsFile::Open(const std::filesystem::path& path) {
  SafetensorsFile result;
  PINTLE_ASSIGN(result.file_, File::OpenRead(path));
  PINTLE_ASSIGN(const uint64_t file_size, result.file_.Size());
  if (file_size < 8) return Bad(path.string(), "shorter than its length field");
  std::array<uint8_t, 8> length{};
  PINTLE_RETURN_IF_ERROR(result.file_.ReadAt(length.data(), length.size(), 0));
  uint64_t header_size = 0;
  for (size_t i = 0; i < 8; ++i) header_size |= static_cast<uint64_t>(length.at(i)) << (8 * i);
  if (header_size > kMaxHeader || header_size > file_size - 8) {
    return Bad(path.string(),
               "the header claims " + std::to_string(header_size) + " bytes in a file of " + std::to_string(file_size));
  }
  std::string text(header_size, '\0');
  PINTLE_RETURN_IF_ERROR(result.file_.ReadAt(text.data(), text.size(), 8));
  PINTLE_ASSIGN(result.header_, ParseSafetensorsHeader(text, file_size, path.string()));
  return result;
}

const SafetensorsEntry* SafetensorsFile::Find(std::string_view name) const {
  const auto it =
      std::lower_bound(header_.tensors.begin(), header_.tensors.end(), name,
                       [](const SafetensorsEntry& entry, std::string_view key) { return entry.name < key; });
  return it != header_.tensors.end() && it->name == name ? &*it : nullptr;
}

Result<const SafetensorsEntry*> SafetensorsFile::Get(std::string_view name) const {
  if (const auto* entry = Find(name)) return entry;
  std::vector<std::string> names;
  for (const auto& entry : header_.tensors) names.push_back(entry.name);
  const std::string near = NearestWord(name, names);
  return ValidationError("no tensor " + JsonQuote(name) + " in the file", path().string(),
                         near.empty() ? "" : "the nearest name in it is " + JsonQuote(near));
}

Status SafetensorsFile::Read(const SafetensorsEntry& entry, void* out) const {
  return ReadPart(entry, 0, entry.size, out);
}

Status SafetensorsFile::ReadPart(const SafetensorsEntry& entry, uint64_t begin, uint64_t size, void* out) const {
  PINTLE_CHECK(begin <= entry.size && size <= entry.size - begin, "part outside the tensor " + entry.name);
  return size == 0 ? Status() : file_.ReadAt(out, size, entry.offset + begin);
}

Status SafetensorsFile::ReadFloatsInto(std::string_view name, float* out, int64_t count) const {
  PINTLE_ASSIGN(const SafetensorsEntry* entry, Get(name));
  if (entry->elements() != count) {
    return ValidationError("tensor " + JsonQuote(name) + " has " + std::to_string(entry->elements()) +
                               " elements, expected " + std::to_string(count),
                           path().string());
  }
  if (entry->dtype == FileDtype::kF32) return Read(*entry, out);
  std::string bytes(entry->size, '\0');
  PINTLE_RETURN_IF_ERROR(Read(*entry, bytes.data()));
  if (ConvertFloats(entry->dtype, bytes, out)) return {};
  return ValidationError(
      "tensor " + JsonQuote(name) + " is " + std::string(FileDtypeName(entry->dtype)) + ", not floating",
      path().string());
}

Result<std::vector<float>> SafetensorsFile::ReadFloats(std::string_view name) const {
  PINTLE_ASSIGN(const SafetensorsEntry* entry, Get(name));
  std::vector<float> values(static_cast<size_t>(entry->elements()));
  PINTLE_RETURN_IF_ERROR(ReadFloatsInto(name, values.data(), entry->elements()));
  return values;
}

Result<std::vector<double>> SafetensorsFile::ReadDoubles(std::string_view name) const {
  PINTLE_ASSIGN(const SafetensorsEntry* entry, Get(name));
  std::string bytes(entry->size, '\0');
  PINTLE_RETURN_IF_ERROR(Read(*entry, bytes.data()));
  std::vector<double> values(static_cast<size_t>(entry->elements()));
  if (ConvertFloats(entry->dtype, bytes, values.data())) return values;
  return ValidationError(
      "tensor " + JsonQuote(name) + " is " + std::string(FileDtypeName(entry->dtype)) + ", not floating",
      path().string());
}

Result<std::vector<int64_t>> SafetensorsFile::ReadInts(std::string_view name) const {
  PINTLE_ASSIGN(const SafetensorsEntry* entry, Get(name));
  std::string bytes(entry->size, '\0');
  PINTLE_RETURN_IF_ERROR(Read(*entry, bytes.data()));
  std::vector<int64_t> values(static_cast<size_t>(entry->elements()));
  const auto same = [](auto x) { return x; };
  switch (entry->dtype) {
    case FileDtype::kI64:
      ConvertAll<int64_t>(bytes, values.data(), same);
      return values;
    case FileDtype::kI32:
      ConvertAll<int32_t>(bytes, values.data(), same);
      return values;
    case FileDtype::kI16:
      ConvertAll<int16_t>(bytes, values.data(), same);
      return values;
    case FileDtype::kI8:
      ConvertAll<int8_t>(bytes, values.data(), same);
      return values;
    case FileDtype::kU32:
      ConvertAll<uint32_t>(bytes, values.data(), same);
      return values;
    case FileDtype::kU16:
      ConvertAll<uint16_t>(bytes, values.data(), same);
      return values;
    case FileDtype::kU8:
    case FileDtype::kBool:
      ConvertAll<uint8_t>(bytes, values.data(), same);
      return values;
    case FileDtype::kU64:
      ConvertAll<uint64_t>(bytes, values.data(), same);
      if (std::all_of(values.begin(), values.end(), [](int64_t x) { return x >= 0; })) return values;
      return ValidationError("tensor " + JsonQuote(name) + " holds a number above 2^63 - 1", path().string());
    default:
      return ValidationError(
          "tensor " + JsonQuote(name) + " is " + std::string(FileDtypeName(entry->dtype)) + ", not integer",
          path().string());
  }
}

Status WriteSafetensors(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata,
                        std::vector<SafetensorsItem> items) {
  std::sort(items.begin(), items.end(), [](const SafetensorsItem& a, const SafetensorsItem& b) {
    return std::pair(-FileDtypeSize(a.dtype), std::string_view(a.name)) <
           std::pair(-FileDtypeSize(b.dtype), std::string_view(b.name));
  });
  json::object root;
  if (!metadata.empty()) {
    auto& object = root["__metadata__"].emplace_object();
    for (const auto& [key, value] : metadata) object[key] = value;
  }
  std::vector<uint64_t> sizes;
  uint64_t offset = 0;
  for (const auto& item : items) {
    uint64_t size = static_cast<uint64_t>(FileDtypeSize(item.dtype));
    json::array shape;
    for (const int64_t extent : item.shape) {
      PINTLE_CHECK(extent >= 0, "negative extent in " + item.name);
      size *= static_cast<uint64_t>(extent);
      shape.push_back(extent);
    }
    PINTLE_CHECK(!root.contains(item.name), "two tensors named " + item.name);
    root[item.name] = json::object{{"dtype", FileDtypeName(item.dtype)},
                                   {"shape", std::move(shape)},
                                   {"data_offsets", json::array{offset, offset + size}}};
    sizes.push_back(size);
    offset += size;
  }
  std::string header = DumpJson(root);
  header.append((64 - (header.size() + 8) % 64) % 64, ' ');
  std::string prefix;
  for (int i = 0; i < 8; ++i) prefix += static_cast<char>((static_cast<uint64_t>(header.size()) >> (8 * i)) & 0xff);
  PINTLE_ASSIGN(File file, File::Create(path));
  PINTLE_RETURN_IF_ERROR(file.Write(prefix));
  PINTLE_RETURN_IF_ERROR(file.Write(header));
  for (size_t i = 0; i < items.size(); ++i) {
    PINTLE_RETURN_IF_ERROR(file.Write({static_cast<const char*>(items[i].data), sizes[i]}));
  }
  PINTLE_RETURN_IF_ERROR(file.Sync());
  return file.Close();
}

}  // namespace pintle
