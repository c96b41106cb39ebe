// safetensors: named tensors in one file. Weights of every model, checkpoints and parity vectors are in this form.
// Layout: u64 length of the header, JSON header {"name": {"dtype","shape","data_offsets":[begin,end]}, "__metadata__":
// {string: string}}, then the data; offsets count from the end of the header and leave no holes.
// Only the header is held in memory; data is read into the caller's memory, never mapped, so that a file that shrinks
// is an error and not a signal. Not here: conversion between checkpoint names and a model's parameters. Source: the
// format description of huggingface/safetensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace pintle {

/// Element types of the format.
enum class FileDtype : uint8_t { kF64, kF32, kF16, kBF16, kI64, kI32, kI16, kI8, kU64, kU32, kU16, kU8, kBool };

/// Bytes an element takes.
int64_t FileDtypeSize(FileDtype dtype);
/// "F32", "BF16", ...
std::string_view FileDtypeName(FileDtype dtype);

/// One tensor of a file, row-major, little endian.
struct SafetensorsEntry {
  std::string name;
  FileDtype dtype = FileDtype::kF32;
  std::vector<int64_t> shape;  ///< may be empty (a scalar); extents >= 0
  uint64_t offset = 0;         ///< from the start of the file
  uint64_t size = 0;           ///< bytes = product of shape * element size, checked

  [[nodiscard]] int64_t elements() const { return static_cast<int64_t>(size) / FileDtypeSize(dtype); }
};

/// The header, checked.
struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::vector<SafetensorsEntry> tensors;  ///< sorted by name, names distinct
};

/// Parses the JSON header text of a file of `file_size` bytes. Checked: JSON, duplicate keys, unknown dtypes, shapes
/// that overflow, offsets in range, dtype x shape = bytes, no overlap, no hole, nothing behind the last tensor.
Result<SafetensorsHeader> ParseSafetensorsHeader(std::string_view header_json, uint64_t file_size,
                                                 const std::string& where);

/// A file opened for reading. Read* are thread-safe.
class SafetensorsFile {
 public:
  /// Reads and checks the header (validation error if anything is wrong).
  static Result<SafetensorsFile> Open(const std::filesystem::path& path);

  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return header_.metadata; }
  [[nodiscard]] const std::vector<SafetensorsEntry>& tensors() const { return header_.tensors; }
  /// Null if there is none of that name. Valid as long as the object.
  [[nodiscard]] const SafetensorsEntry* Find(std::string_view name) const;
  /// As Find; a missing tensor is a validation error with the name and a did-you-mean.
  Result<const SafetensorsEntry*> Get(std::string_view name) const;

  /// The raw bytes of a tensor into `out` (entry.size bytes).
  Status Read(const SafetensorsEntry& entry, void* out) const;
  /// Part of a tensor: `size` bytes from byte `begin` of it.
  Status ReadPart(const SafetensorsEntry& entry, uint64_t begin, uint64_t size, void* out) const;
  /// All elements as float, from F32, F16 and BF16 exactly, from F64 rounded to nearest even. Other dtypes: validation
  /// error.
  Result<std::vector<float>> ReadFloats(std::string_view name) const;
  /// As ReadFloats into `out` of `count` elements; a different element count is a validation error.
  Status ReadFloatsInto(std::string_view name, float* out, int64_t count) const;
  /// All elements as double, from any of the four floating dtypes, exactly.
  Result<std::vector<double>> ReadDoubles(std::string_view name) const;
  /// All elements of an integer dtype (U64 above 2^63 - 1: validation error).
  Result<std::vector<int64_t>> ReadInts(std::string_view name) const;

  [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }

 private:
  SafetensorsFile() = default;
  File file_;
  SafetensorsHeader header_;
};

/// A tensor to write; `data` is borrowed until the writer returns.
struct SafetensorsItem {
  std::string name;
  FileDtype dtype = FileDtype::kF32;
  std::vector<int64_t> shape;
  const void* data = nullptr;
};

/// Writes a whole file at `path` (not atomic by itself: write into a temporary folder, or rename). The same tensors
/// give the same bytes whatever their order: they are sorted by element size (largest first, so that each is aligned to
/// its element) and then by name; the data starts at a multiple of 64. Names must be distinct, a double name is
/// CHECKed. Syncs the file.
Status WriteSafetensors(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata,
                        std::vector<SafetensorsItem> items);

}  // namespace pintle
