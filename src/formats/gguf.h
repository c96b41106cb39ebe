// GGUF version 3: the one-file model format of llama.cpp; what `m31r export` writes and a checked reader for such
// files. Layout: magic, version, counts, key/value pairs, tensor infos, padding, data (each tensor at a multiple of the
// alignment). The first dimension of a tensor info is the fastest one: a row-major [out, in] weight is written as (in,
// out). Not here: which keys and tensor names a model needs (train/export.h, models/decoder/family.h). Source: ggml's
// description of the format, docs/gguf.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace pintle {

/// Value types of metadata; the numbers live on disk.
enum class GgufKind : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12
};

/// Tensor types; the numbers live on disk. See GgufEncode for those with a codec here.
enum class GgufType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kIQ4_NL = 20,
  kIQ4_XS = 23,
  kI8 = 24,
  kI16 = 25,
  kI32 = 26,
  kI64 = 27,
  kF64 = 28,
  kBF16 = 30
};

/// A scalar or a flat array of scalars. Exactly one of the three vectors is used, by `kind`.
struct GgufValue {
  GgufKind kind = GgufKind::kU32;  ///< of the scalar, or of the elements; never kArray
  bool array = false;              ///< a scalar has one element
  std::vector<int64_t> integers;   ///< U8 .. I64 and bool; U64 as its bits
  std::vector<double> reals;       ///< F32, F64
  std::vector<std::string> strings;

  static GgufValue U32(uint32_t value) { return {GgufKind::kU32, false, {value}, {}, {}}; }
  static GgufValue F32(float value) { return {GgufKind::kF32, false, {}, {value}, {}}; }
  static GgufValue Bool(bool value) { return {GgufKind::kBool, false, {value ? 1 : 0}, {}, {}}; }
  static GgufValue String(std::string value) { return {GgufKind::kString, false, {}, {}, {std::move(value)}}; }
  static GgufValue Strings(std::vector<std::string> values) {
    return {GgufKind::kString, true, {}, {}, std::move(values)};
  }
  static GgufValue I32s(std::vector<int64_t> values) { return {GgufKind::kI32, true, std::move(values), {}, {}}; }
};

/// Key/value pairs in file order, keys distinct.
using GgufMetadata = std::vector<std::pair<std::string, GgufValue>>;

/// A tensor of a file.
struct GgufTensor {
  std::string name;
  std::vector<int64_t> shape;  ///< row-major as everywhere else here: slowest dimension first
  GgufType type = GgufType::kF32;
  uint64_t offset = 0;  ///< from the start of the file
  uint64_t size = 0;    ///< bytes
  uint32_t part = 0;    ///< of a split file
  /// Above 0: the rows of each head, of so many rows, stand by halves as the hub has them; reads give neighbours.
  int64_t halves = 0;
  std::string made = {};  ///< its bytes, if they are in no file
  [[nodiscard]] int64_t elements() const;
};

/// What stands before the data, checked.
struct GgufHeader {
  GgufMetadata metadata;
  std::vector<GgufTensor> tensors;  ///< in file order, names distinct
  uint64_t alignment = 32;
  [[nodiscard]] const GgufValue* Find(std::string_view key) const;
  [[nodiscard]] const GgufTensor* FindTensor(std::string_view name) const;
};

/// Reads `size` bytes at `offset` of a source.
using GgufRead = std::function<Status(void* out, size_t size, uint64_t offset)>;

/// Parses a header from a source of `file_size` bytes. Checked: magic, version 3 (and the equal version 2), every
/// length against the bytes that are left before anything is allocated, known types, rows that divide into blocks,
/// alignment a power of two up to 64 KiB, offsets aligned and in range, no overlap, distinct keys and names. Nested
/// arrays are refused.
Result<GgufHeader> ParseGgufHeader(const GgufRead& read, uint64_t file_size, const std::string& where);

/// A model opened for reading: one file, all parts of a split one (NAME-00001-of-0000N.gguf, opened by its first part),
/// or a folder as the hub has them (hub_folder.h). Reads are thread-safe and checked against the file as it is then.
class GgufFile {
 public:
  static Result<GgufFile> Open(const std::filesystem::path& path);
  /// Tensors of files in another format (`part` counts them), under a header made for them (hub_folder.h).
  static GgufFile OfParts(std::string where, GgufHeader header, std::vector<File> parts);
  /// Metadata of the first part, tensors of all.
  [[nodiscard]] const GgufHeader& header() const { return header_; }
  /// The path, for errors.
  [[nodiscard]] const std::string& where() const { return where_; }
  /// Bytes of all parts.
  [[nodiscard]] uint64_t size() const { return size_; }
  /// The raw bytes of a tensor.
  [[nodiscard]] Result<std::string> ReadTensor(const GgufTensor& tensor) const;
  /// `size` of its bytes from `offset` on; both whole rows where `halves` is set.
  [[nodiscard]] Status ReadBytes(const GgufTensor& tensor, int64_t offset, size_t size, void* out) const;
  /// SHA-256 of the file; of several files, that of their hashes.
  [[nodiscard]] Result<std::string> Sha256() const;

 private:
  GgufFile() = default;
  Status ReadHalves(const GgufTensor& tensor, int64_t offset, size_t size, char* out) const;
  Status OpenPart(const std::filesystem::path& path);
  std::vector<File> parts_;
  GgufHeader header_;
  std::string where_;
  uint64_t size_ = 0;
};

/// A tensor to write; `encode` appends its encoded bytes and is called when its turn comes, so that only one tensor is
/// held in memory at a time.
struct GgufItem {
  std::string name;
  std::vector<int64_t> shape;  ///< row-major
  GgufType type = GgufType::kF32;
  std::function<Status(std::string& out)> encode;
};

/// Writes a file with alignment 32, tensors in the order given, and syncs it. The same input gives the same bytes. Our
/// own mistakes (a wrong size from `encode`, a row that does not divide) are CHECKed.
Status WriteGguf(const std::filesystem::path& path, const GgufMetadata& metadata, const std::vector<GgufItem>& items);

/// Bytes of `elements` values in rows of `row` values; -1 if the type is unknown or the row does not divide into
/// blocks.
int64_t GgufBytes(GgufType type, int64_t elements, int64_t row);
/// "F32", "Q8_0", ...
std::string_view GgufTypeName(GgufType type);

/// Appends `count` values as F32, F16, BF16 (nearest even) or Q8_0. Q8_0: blocks of 32, d = max|x| / 127 kept as f16,
/// q = x * (1 / d) rounded half away from zero, as llama.cpp does. `count` must divide by 32 there. Further types:
/// quant_encode.h.
void GgufEncode(GgufType type, const float* values, int64_t count, std::string& out);
/// The values of bytes in any of those types.
Result<std::vector<float>> GgufDecode(GgufType type, std::string_view bytes);

}  // namespace pintle
