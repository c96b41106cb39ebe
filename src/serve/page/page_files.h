// The files of web/dist inside the program. Internal: page.h serves them; CMakeLists.txt makes the table.
#pragma once

#include <span>
#include <string_view>

namespace pintle {

/// Bytes between two symbols of the linker, whose distance is known at run time only.
struct EmbeddedBytes {
  const char* begin;
  const char* end;
  [[nodiscard]] std::string_view text() const { return {begin, static_cast<size_t>(end - begin)}; }
};

/// One file.
struct PageFile {
  std::string_view path;  ///< begins with '/'
  EmbeddedBytes plain;
  EmbeddedBytes packed;  ///< gzip
};
std::span<const PageFile> PageFiles();

}  // namespace pintle
