// Content hashes. SHA-256 identifies everything on disk (manifests, stores, releases); it is OpenSSL's.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pintle {

using Sha256Digest = std::array<uint8_t, 32>;

/// A running SHA-256. Not copyable; one thread.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void Update(std::string_view bytes);
  /// The digest of all updates; the object may not be used afterwards.
  Sha256Digest Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Sha256Digest Sha256Of(std::string_view bytes);
/// Lower-case hexadecimal.
std::string ToHex(const uint8_t* bytes, size_t size);
inline std::string ToHex(const Sha256Digest& digest) { return ToHex(digest.data(), digest.size()); }
inline std::string Sha256Hex(std::string_view bytes) { return ToHex(Sha256Of(bytes)); }
/// Hash of a file, read in pieces of 1 MiB.
Result<std::string> Sha256HexOfFile(const std::filesystem::path& path);

/// FNV-1a over bytes, 64 bits: only to compare outputs of our own kernels within one test.
constexpr uint64_t Fnv1a(std::string_view bytes, uint64_t hash = 0xcbf29ce484222325u) {
  for (const char c : bytes) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  return hash;
}

}  // namespace pintle
