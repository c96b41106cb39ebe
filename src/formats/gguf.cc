#include "formats/gguf.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <set>

#include "base/check.h"
#include "base/hash.h"
#include "base/json.h"
#include "formats/half.h"
#include "formats/hub_folder.h"
#include "formats/quant_encode.h"
#include "kernels/quant.h"

namespace pintle {
namespace {

constexpr uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr uint64_t kDefaultAlignment = 32;
constexpr uint64_t kMaxAlignment = uint64_t{1} << 16;
constexpr int64_t kMaxParts = 1000;
constexpr uint64_t kMaxString = uint64_t{16} << 20;
constexpr uint64_t kMaxDimensions = 4;

struct TypeRow {
  GgufType type;
  std::string_view name;
  int64_t block;  // elements
  int64_t bytes;  // a block
};
constexpr std::array<TypeRow, 20> kTypes = {
    {{GgufType::kF32, "F32", 1, 4},         {GgufType::kF16, "F16", 1, 2},
     {GgufType::kQ4_0, "Q4_0", 32, 18},     {GgufType::kQ4_1, "Q4_1", 32, 20},
     {GgufType::kQ5_0, "Q5_0", 32, 22},     {GgufType::kQ5_1, "Q5_1", 32, 24},
     {GgufType::kQ8_0, "Q8_0", 32, 34},     {GgufType::kQ2_K, "Q2_K", 256, 84},
     {GgufType::kQ3_K, "Q3_K", 256, 110},   {GgufType::kQ4_K, "Q4_K", 256, 144},
     {GgufType::kQ5_K, "Q5_K", 256, 176},   {GgufType::kQ6_K, "Q6_K", 256, 210},
     {GgufType::kIQ4_NL, "IQ4_NL", 32, 18}, {GgufType::kIQ4_XS, "IQ4_XS", 256, 136},
     {GgufType::kI8, "I8", 1, 1},           {GgufType::kI16, "I16", 1, 2},
     {GgufType::kI32, "I32", 1, 4},         {GgufType::kI64, "I64", 1, 8},
     {GgufType::kF64, "F64", 1, 8},         {GgufType::kBF16, "BF16", 1, 2}}};

const TypeRow* FindType(GgufType type) {
  for (const auto& row : kTypes) {
    if (row.type == type) return &row;
  }
  return nullptr;
}

// Bytes of a scalar; for a string the least an element takes (its length field); 0 for array and unknown kinds.
uint64_t KindSize(GgufKind kind) {
  switch (kind) {
    case GgufKind::kU8:
    case GgufKind::kI8:
    case GgufKind::kBool:
      return 1;
    case GgufKind::kU16:
    case GgufKind::kI16:
      return 2;
    case GgufKind::kU32:
    case GgufKind::kI32:
    case GgufKind::kF32:
      return 4;
    case GgufKind::kU64:
    case GgufKind::kI64:
    case GgufKind::kF64:
    case GgufKind::kString:
      return 8;
    default:
      return 0;
  }
}

// Reads forward through a buffer; every Take is checked against the size of the file.
class Cursor {
 public:
  Cursor(const GgufRead& read, uint64_t size, std::string where) : read_(read), size_(size), where_(std::move(where)) {}

  [[nodiscard]] uint64_t left() const { return size_ - position_; }
  [[nodiscard]] uint64_t position() const { return position_; }
  [[nodiscard]] Error Bad(const std::string& what) const {
    return ValidationError("damaged GGUF file: " + what + " (near byte " + std::to_string(position_) + ")", where_);
  }

  Status Take(void* out, uint64_t count) {
    if (count > left()) return Bad("it ends in the middle of its header");
    auto* to = static_cast<char*>(out);
    while (count > 0) {
      if (position_ < begin_ || position_ >= begin_ + buffer_.size()) {
        begin_ = position_;
        buffer_.resize(static_cast<size_t>(std::min<uint64_t>(left(), uint64_t{1} << 16)));
        PINTLE_RETURN_IF_ERROR(read_(buffer_.data(), buffer_.size(), begin_));
      }
      const uint64_t inside = position_ - begin_;
      const uint64_t step = std::min<uint64_t>(count, buffer_.size() - inside);
      std::memcpy(to, buffer_.data() + inside, static_cast<size_t>(step));
      to += step;
      position_ += step;
      count -= step;
    }
    return {};
  }

  Result<uint64_t> Unsigned(uint64_t bytes) {
    std::array<uint8_t, 8> raw{};
    PINTLE_RETURN_IF_ERROR(Take(raw.data(), bytes));
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; ++i) value |= uint64_t{raw.at(i)} << (8 * i);
    return value;
  }

  Result<std::string> String() {
    PINTLE_ASSIGN(const uint64_t length, Unsigned(8));
    if (length > left() || length > kMaxString) return Bad("a string claims " + std::to_string(length) + " bytes");
    std::string text(static_cast<size_t>(length), '\0');
    PINTLE_RETURN_IF_ERROR(Take(text.data(), length));
    return text;
  }

 private:
  const GgufRead& read_;
  uint64_t size_;
  std::string where_;
  std::string buffer_;
  uint64_t begin_ = 0, position_ = 0;
};

// One scalar of `kind`, appended to the vector it belongs to.
Status ReadScalar(Cursor& cursor, GgufValue& value) {
  if (value.kind == GgufKind::kString) {
    PINTLE_ASSIGN(std::string text, cursor.String());
    value.strings.push_back(std::move(text));
    return {};
  }
  const uint64_t size = KindSize(value.kind);
  PINTLE_ASSIGN(const uint64_t bits, cursor.Unsigned(size));
  switch (value.kind) {
    case GgufKind::kF32:
      value.reals.push_back(FloatOfBits(static_cast<uint32_t>(bits)));
      break;
    case GgufKind::kF64: {
      double real = 0;
      std::memcpy(&real, &bits, sizeof real);
      value.reals.push_back(real);
      break;
    }
    case GgufKind::kI8:
      value.integers.push_back(static_cast<int8_t>(bits));
      break;
    case GgufKind::kI16:
      value.integers.push_back(static_cast<int16_t>(bits));
      break;
    case GgufKind::kI32:
      value.integers.push_back(static_cast<int32_t>(bits));
      break;
    case GgufKind::kBool:
      if (bits > 1) return cursor.Bad("a bool is neither 0 nor 1");
      value.integers.push_back(static_cast<int64_t>(bits));
      break;
    default:
      value.integers.push_back(static_cast<int64_t>(bits));
      break;
  }
  return {};
}

Result<GgufValue> ReadValue(Cursor& cursor) {
  GgufValue value;
  PINTLE_ASSIGN(const uint64_t raw_kind, cursor.Unsigned(4));
  value.kind = static_cast<GgufKind>(raw_kind);
  uint64_t count = 1;
  if (value.kind == GgufKind::kArray) {
    PINTLE_ASSIGN(const uint64_t element, cursor.Unsigned(4));
    PINTLE_ASSIGN(count, cursor.Unsigned(8));
    value.kind = static_cast<GgufKind>(element);
    value.array = true;
    if (value.kind == GgufKind::kArray) return cursor.Bad("an array of arrays");
  }
  const uint64_t least = KindSize(value.kind);
  if (least == 0) return cursor.Bad("unknown value type");
  if (count > cursor.left() / least) return cursor.Bad("an array claims " + std::to_string(count) + " elements");
  for (uint64_t i = 0; i < count; ++i) PINTLE_RETURN_IF_ERROR(ReadScalar(cursor, value));
  return value;
}

Result<GgufTensor> ReadTensorInfo(Cursor& cursor) {
  GgufTensor tensor;
  PINTLE_ASSIGN(tensor.name, cursor.String());
  const std::string name = "tensor " + JsonQuote(tensor.name) + ": ";
  PINTLE_ASSIGN(const uint64_t rank, cursor.Unsigned(4));
  if (rank == 0 || rank > kMaxDimensions) return cursor.Bad(name + "has " + std::to_string(rank) + " dimensions");
  int64_t elements = 1;
  for (uint64_t i = 0; i < rank; ++i) {
    PINTLE_ASSIGN(const uint64_t extent, cursor.Unsigned(8));
    if (extent == 0 || extent > static_cast<uint64_t>(std::numeric_limits<int64_t>::max() / 8 / elements)) {
      return cursor.Bad(name + "its shape is empty or overflows");
    }
    elements *= static_cast<int64_t>(extent);
    tensor.shape.insert(tensor.shape.begin(), static_cast<int64_t>(extent));
  }
  PINTLE_ASSIGN(const uint64_t type, cursor.Unsigned(4));
  tensor.type = static_cast<GgufType>(type);
  const int64_t bytes = GgufBytes(tensor.type, elements, tensor.shape.back());
  if (bytes < 0)
    return cursor.Bad(name + "unknown type " + std::to_string(type) + ", or rows that do not divide into its blocks");
  tensor.size = static_cast<uint64_t>(bytes);
  PINTLE_ASSIGN(tensor.offset, cursor.Unsigned(8));
  return tensor;
}

// Makes the offsets absolute; they must be aligned, in range and disjoint.
Status PlaceTensors(const Cursor& cursor, uint64_t file_size, GgufHeader& header) {
  const uint64_t unaligned = cursor.position();
  const uint64_t begin = (unaligned + header.alignment - 1) / header.alignment * header.alignment;
  const uint64_t data = begin <= file_size ? file_size - begin : 0;
  std::vector<const GgufTensor*> order;
  for (auto& tensor : header.tensors) {
    if (tensor.offset % header.alignment != 0 || tensor.offset > data || tensor.size > data - tensor.offset) {
      return cursor.Bad("tensor " + JsonQuote(tensor.name) + " lies outside the file or is not aligned");
    }
    tensor.offset += begin;
    order.push_back(&tensor);
  }
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return a->offset < b->offset; });
  for (size_t i = 1; i < order.size(); ++i) {
    if (order[i - 1]->offset + order[i - 1]->size > order[i]->offset) {
      return cursor.Bad("tensor " + JsonQuote(order[i]->name) + " overlaps another");
    }
  }
  return {};
}

void AppendUnsigned(uint64_t value, uint64_t bytes, std::string& out) {
  for (uint64_t i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xff);
}
void AppendString(std::string_view text, std::string& out) {
  AppendUnsigned(text.size(), 8, out);
  out += text;
}

void AppendValue(const GgufValue& value, std::string& out) {
  const size_t count = value.integers.size() + value.reals.size() + value.strings.size();
  PINTLE_CHECK(value.array || count == 1, "a scalar has one element");
  if (value.array) {
    AppendUnsigned(static_cast<uint64_t>(GgufKind::kArray), 4, out);
    AppendUnsigned(static_cast<uint64_t>(value.kind), 4, out);
    AppendUnsigned(count, 8, out);
  } else {
    AppendUnsigned(static_cast<uint64_t>(value.kind), 4, out);
  }
  for (const int64_t integer : value.integers)
    AppendUnsigned(static_cast<uint64_t>(integer), KindSize(value.kind), out);
  for (const double real : value.reals) {
    if (value.kind == GgufKind::kF32) {
      AppendUnsigned(BitsOfFloat(static_cast<float>(real)), 4, out);
    } else {
      uint64_t bits = 0;
      std::memcpy(&bits, &real, sizeof bits);
      AppendUnsigned(bits, 8, out);
    }
  }
  for (const auto& text : value.strings) AppendString(text, out);
}

// Half away from zero, limited to +-127: where the scale is too small to have an inverse, x is infinite or no number.
int RoundAway(float x) {
  if (!(x < 127.0f && x > -127.0f)) return x < 0 ? -127 : 127;
  const int whole = static_cast<int>(x);
  const float rest = x - static_cast<float>(whole);
  return rest >= 0.5f ? whole + 1 : rest <= -0.5f ? whole - 1 : whole;
}

void EncodeQ8(const float* values, int64_t count, std::string& out) {
  for (int64_t block = 0; block < count; block += 32) {
    float largest = 0;
    for (int64_t i = 0; i < 32; ++i)
      largest = std::max(largest, values[block + i] < 0 ? -values[block + i] : values[block + i]);
    const float scale = largest / 127.0f;
    const float inverse = scale != 0 ? 1.0f / scale : 0.0f;
    AppendUnsigned(F16OfFloat(scale), 2, out);
    for (int64_t i = 0; i < 32; ++i)
      out += static_cast<char>(static_cast<int8_t>(RoundAway(values[block + i] * inverse)));
  }
}

}  // namespace

int64_t GgufTensor::elements() const {
  int64_t product = 1;
  for (const int64_t extent : shape) product *= extent;
  return product;
}

const GgufValue* GgufHeader::Find(std::string_view key) const {
  for (const auto& [name, value] : metadata) {
    if (name == key) return &value;
  }
  return nullptr;
}

const GgufTensor* GgufHeader::FindTensor(std::string_view name) const {
  for (const auto& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

int64_t GgufBytes(GgufType type, int64_t elements, int64_t row) {
  const TypeRow* found = FindType(type);
  if (found == nullptr || row % found->block != 0) return -1;
  const int64_t blocks = elements / found->block;
  return blocks > std::numeric_limits<int64_t>::max() / found->bytes ? -1 : blocks * found->bytes;
}

std::string_view GgufTypeName(GgufType type) {
  const TypeRow* found = FindType(type);
  return found == nullptr ? "?" : found->name;
}

Result<GgufHeader> ParseGgufHeader(const GgufRead& read, uint64_t file_size, const std::string& where) {
  Cursor cursor(read, file_size, where);
  PINTLE_ASSIGN(const uint64_t magic, cursor.Unsigned(4));
  if (magic != kMagic) return cursor.Bad("it does not begin with GGUF");
  PINTLE_ASSIGN(const uint64_t version, cursor.Unsigned(4));
  if (version == 0x03000000) return cursor.Bad("it is big-endian");
  if (version != 3 && version != 2) return cursor.Bad("version " + std::to_string(version) + " (2 and 3 are read)");
  PINTLE_ASSIGN(const uint64_t tensors, cursor.Unsigned(8));
  PINTLE_ASSIGN(const uint64_t pairs, cursor.Unsigned(8));
  // The least a pair and a tensor info take: empty name, one byte of value; empty name, one dimension.
  if (pairs > cursor.left() / 13 || tensors > cursor.left() / 32) return cursor.Bad("its counts do not fit in it");
  GgufHeader header;
  std::set<std::string> seen;
  for (uint64_t i = 0; i < pairs; ++i) {
    PINTLE_ASSIGN(std::string key, cursor.String());
    if (!seen.insert(key).second) return cursor.Bad("the key " + JsonQuote(key) + " occurs twice");
    PINTLE_ASSIGN(GgufValue value, ReadValue(cursor));
    header.metadata.emplace_back(std::move(key), std::move(value));
  }
  if (const GgufValue* value = header.Find("general.alignment")) {
    if (value->array || value->kind != GgufKind::kU32) return cursor.Bad("general.alignment is not a u32");
    header.alignment = static_cast<uint64_t>(value->integers[0]);
    if (header.alignment == 0 || header.alignment > kMaxAlignment || (header.alignment & (header.alignment - 1)) != 0) {
      return cursor.Bad("general.alignment is not a power of two up to 65536");
    }
  }
  seen.clear();
  for (uint64_t i = 0; i < tensors; ++i) {
    PINTLE_ASSIGN(GgufTensor tensor, ReadTensorInfo(cursor));
    if (!seen.insert(tensor.name).second) return cursor.Bad("the tensor " + JsonQuote(tensor.name) + " occurs twice");
    header.tensors.push_back(std::move(tensor));
  }
  PINTLE_RETURN_IF_ERROR(PlaceTensors(cursor, file_size, header));
  return header;
}

Status GgufFile::OpenPart(const std::filesystem::path& path) {
  PINTLE_ASSIGN(File file, File::OpenRead(path));
  PINTLE_ASSIGN(const uint64_t size, file.Size());
  const GgufRead read = [&](void* out, size_t bytes, uint64_t offset) { return file.ReadAt(out, bytes, offset); };
  PINTLE_ASSIGN(GgufHeader header, ParseGgufHeader(read, size, path.string()));
  const auto part = static_cast<uint32_t>(parts_.size());
  for (GgufTensor& tensor : header.tensors) tensor.part = part;
  if (part == 0) {
    header_ = std::move(header);
  } else {
    const GgufValue* number = header.Find("split.no");
    if (number == nullptr || number->integers.size() != 1 || number->integers[0] != part) {
      return ValidationError("it is not part " + std::to_string(part + 1) + " of the split model", path.string());
    }
    std::set<std::string_view> names;
    for (const GgufTensor& tensor : header_.tensors) names.insert(tensor.name);
    for (const GgufTensor& tensor : header.tensors) {
      if (names.contains(tensor.name)) {
        return ValidationError("the tensor " + JsonQuote(tensor.name) + " stands in two parts", path.string());
      }
    }
    header_.tensors.insert(header_.tensors.end(), header.tensors.begin(), header.tensors.end());
  }
  size_ += size;
  parts_.push_back(std::move(file));
  return {};
}

Result<GgufFile> GgufFile::Open(const std::filesystem::path& path) {
  std::error_code code;
  if (std::filesystem::is_directory(path, code)) return OpenHubFolder(path);
  GgufFile result;
  result.where_ = path.string();
  PINTLE_RETURN_IF_ERROR(result.OpenPart(path));
  const GgufValue* count = result.header_.Find("split.count");
  if (count == nullptr || count->integers.size() != 1 || count->integers[0] <= 1) return result;
  const int64_t parts = count->integers[0];
  // The names say which part is which: -00001-of-0000N.gguf.
  const auto suffix = [&](int64_t number) {
    const auto five = [](int64_t n) {
      const std::string digits = std::to_string(n);
      return std::string(5 - std::min<size_t>(5, digits.size()), '0') + digits;
    };
    return "-" + five(number) + "-of-" + five(parts) + ".gguf";
  };
  const std::string name = path.filename().string(), first = suffix(1);
  if (parts > kMaxParts || !name.ends_with(first)) {
    return ValidationError("it is one of " + std::to_string(parts) + " parts of a split model, and not the first",
                           path.string(), "give the part whose name ends in " + first);
  }
  const std::string stem = name.substr(0, name.size() - first.size());
  for (int64_t part = 2; part <= parts; ++part) {
    PINTLE_RETURN_IF_ERROR(result.OpenPart(path.parent_path() / (stem + suffix(part))));
  }
  const GgufValue* tensors = result.header_.Find("split.tensors.count");
  if (tensors != nullptr &&
      (tensors->integers.size() != 1 || tensors->integers[0] != static_cast<int64_t>(result.header_.tensors.size()))) {
    return ValidationError(
        "its parts hold " + std::to_string(result.header_.tensors.size()) + " tensors, which is not what it says",
        path.string());
  }
  return result;
}

Result<std::string> GgufFile::ReadTensor(const GgufTensor& tensor) const {
  std::string bytes(static_cast<size_t>(tensor.size), '\0');
  PINTLE_RETURN_IF_ERROR(ReadBytes(tensor, 0, bytes.size(), bytes.data()));
  return bytes;
}

Status GgufFile::ReadBytes(const GgufTensor& tensor, int64_t offset, size_t size, void* out) const {
  PINTLE_CHECK(offset >= 0 && static_cast<uint64_t>(offset) <= tensor.size &&
                   size <= tensor.size - static_cast<uint64_t>(offset),
               "a read stays inside its tensor");
  if (!tensor.made.empty()) {
    std::memcpy(out, tensor.made.data() + offset, size);
    return {};
  }
  if (tensor.halves > 0) return ReadHalves(tensor, offset, size, static_cast<char*>(out));
  return parts_[tensor.part].ReadAt(out, size, tensor.offset + static_cast<uint64_t>(offset));
}

// Rows 2 i and 2 i + 1 of a head are rows i and half + i of the file.
Status GgufFile::ReadHalves(const GgufTensor& tensor, int64_t offset, size_t size, char* out) const {
  const int64_t row_bytes = static_cast<int64_t>(tensor.size) / tensor.shape[0], half = tensor.halves / 2;
  const int64_t count = static_cast<int64_t>(size) / row_bytes;
  PINTLE_CHECK(offset % row_bytes == 0 && count * row_bytes == static_cast<int64_t>(size), "whole rows are read");
  for (int64_t i = 0; i < count; ++i) {
    const int64_t row = offset / row_bytes + i, at = row % tensor.halves;
    const int64_t from = row - at + at / 2 + (at % 2 == 0 ? 0 : half);
    PINTLE_RETURN_IF_ERROR(parts_[tensor.part].ReadAt(out + i * row_bytes, static_cast<size_t>(row_bytes),
                                                      tensor.offset + static_cast<uint64_t>(from * row_bytes)));
  }
  return {};
}

GgufFile GgufFile::OfParts(std::string where, GgufHeader header, std::vector<File> parts) {
  GgufFile result;
  result.where_ = std::move(where);
  result.header_ = std::move(header);
  result.parts_ = std::move(parts);
  for (const GgufTensor& tensor : result.header_.tensors) result.size_ += tensor.size;
  return result;
}

Result<std::string> GgufFile::Sha256() const {
  if (parts_.size() == 1) return Sha256HexOfFile(parts_[0].path());
  std::string hashes;
  for (const File& part : parts_) {
    PINTLE_ASSIGN(const std::string hash, Sha256HexOfFile(part.path()));
    hashes += hash;
  }
  return Sha256Hex(hashes);
}

Status WriteGguf(const std::filesystem::path& path, const GgufMetadata& metadata, const std::vector<GgufItem>& items) {
  std::string header;
  AppendUnsigned(kMagic, 4, header);
  AppendUnsigned(3, 4, header);
  AppendUnsigned(items.size(), 8, header);
  AppendUnsigned(metadata.size(), 8, header);
  for (const auto& [key, value] : metadata) {
    AppendString(key, header);
    AppendValue(value, header);
  }
  std::vector<int64_t> sizes;
  uint64_t offset = 0;
  for (const auto& item : items) {
    GgufTensor tensor{item.name, item.shape, item.type, 0, 0, 0};
    const int64_t bytes = GgufBytes(item.type, tensor.elements(), item.shape.back());
    PINTLE_CHECK(bytes >= 0, "rows of " + item.name + " do not divide into blocks");
    AppendString(item.name, header);
    AppendUnsigned(item.shape.size(), 4, header);
    for (auto it = item.shape.rbegin(); it != item.shape.rend(); ++it)
      AppendUnsigned(static_cast<uint64_t>(*it), 8, header);
    AppendUnsigned(static_cast<uint64_t>(item.type), 4, header);
    AppendUnsigned(offset, 8, header);
    sizes.push_back(bytes);
    offset = (offset + static_cast<uint64_t>(bytes) + kDefaultAlignment - 1) / kDefaultAlignment * kDefaultAlignment;
  }
  header.resize((header.size() + kDefaultAlignment - 1) / kDefaultAlignment * kDefaultAlignment, '\0');
  PINTLE_ASSIGN(File file, File::Create(path));
  PINTLE_RETURN_IF_ERROR(file.Write(header));
  std::string bytes;
  for (size_t i = 0; i < items.size(); ++i) {
    bytes.clear();
    PINTLE_RETURN_IF_ERROR(items[i].encode(bytes));
    PINTLE_CHECK(static_cast<int64_t>(bytes.size()) == sizes[i], "wrong size encoded for " + items[i].name);
    bytes.resize((bytes.size() + kDefaultAlignment - 1) / kDefaultAlignment * kDefaultAlignment, '\0');
    PINTLE_RETURN_IF_ERROR(file.Write(bytes));
  }
  PINTLE_RETURN_IF_ERROR(file.Sync());
  return file.Close();
}

void GgufEncode(GgufType type, const float* values, int64_t count, std::string& out) {
  out.reserve(out.size() + static_cast<size_t>(GgufBytes(type, count, count)));
  switch (type) {
    case GgufType::kF32:
      for (int64_t i = 0; i < count; ++i) AppendUnsigned(BitsOfFloat(values[i]), 4, out);
      return;
    case GgufType::kF16:
      for (int64_t i = 0; i < count; ++i) AppendUnsigned(F16OfFloat(values[i]), 2, out);
      return;
    case GgufType::kBF16:
      for (int64_t i = 0; i < count; ++i) AppendUnsigned(BF16OfFloat(values[i]), 2, out);
      return;
    case GgufType::kQ8_0:
      PINTLE_CHECK(count % 32 == 0, "Q8_0 wants a multiple of 32");
      EncodeQ8(values, count, out);
      return;
    default:
      PINTLE_CHECK(HasQuantEncoder(type), "no encoder for " + std::string(GgufTypeName(type)));
      EncodeQuant(type, values, count, out);
  }
}

namespace {

// K types and the small blocks by way of the layout that products use: one row at a time.
template <kernels::QuantType kType>
std::vector<float> DecodeBlocks(std::string_view bytes) {
  const int64_t block = kernels::QuantBlock(kType), block_bytes = kernels::QuantRowBytes(kType, block);
  std::vector<float> values(bytes.size() / static_cast<size_t>(block_bytes) * static_cast<size_t>(block));
  std::vector<uint8_t> panel(static_cast<size_t>(kernels::QuantPanelBytes(kType, block)));
  for (size_t i = 0; i < values.size() / static_cast<size_t>(block); ++i) {
    const auto* from = reinterpret_cast<const uint8_t*>(bytes.data()) + i * static_cast<size_t>(block_bytes);
    kernels::PackQuantPanel(kType, from, 1, block, panel.data());
    kernels::DequantizeQuantRow({kType, 1, block, panel.data()}, 0, values.data() + i * static_cast<size_t>(block));
  }
  return values;
}

}  // namespace

Result<std::vector<float>> GgufDecode(GgufType type, std::string_view bytes) {
  std::vector<float> values;
  const auto u16 = [&](size_t at) {
    return static_cast<uint16_t>(static_cast<uint8_t>(bytes[at]) | (static_cast<uint8_t>(bytes[at + 1]) << 8));
  };
  switch (type) {
    case GgufType::kF32:
      values.resize(bytes.size() / 4);
      std::memcpy(values.data(), bytes.data(), values.size() * 4);
      return values;
    case GgufType::kF16:
      for (size_t i = 0; i + 1 < bytes.size(); i += 2) values.push_back(FloatOfF16(u16(i)));
      return values;
    case GgufType::kBF16:
      for (size_t i = 0; i + 1 < bytes.size(); i += 2) values.push_back(FloatOfBF16(u16(i)));
      return values;
    case GgufType::kQ8_0:
      return DecodeBlocks<kernels::QuantType::kQ8_0>(bytes);
    case GgufType::kQ4_0:
      return DecodeBlocks<kernels::QuantType::kQ4_0>(bytes);
    case GgufType::kQ4_1:
      return DecodeBlocks<kernels::QuantType::kQ4_1>(bytes);
    case GgufType::kQ5_0:
      return DecodeBlocks<kernels::QuantType::kQ5_0>(bytes);
    case GgufType::kQ5_1:
      return DecodeBlocks<kernels::QuantType::kQ5_1>(bytes);
    case GgufType::kQ4_K:
      return DecodeBlocks<kernels::QuantType::kQ4_K>(bytes);
    case GgufType::kQ5_K:
      return DecodeBlocks<kernels::QuantType::kQ5_K>(bytes);
    case GgufType::kQ6_K:
      return DecodeBlocks<kernels::QuantType::kQ6_K>(bytes);
    case GgufType::kIQ4_NL:
      return DecodeBlocks<kernels::QuantType::kIQ4_NL>(bytes);
    case GgufType::kIQ4_XS:
      return DecodeBlocks<kernels::QuantType::kIQ4_XS>(bytes);
    default:
      return ValidationError("no decoder for the tensor type " + std::string(GgufTypeName(type)));
  }
}

}  // namespace pintle
