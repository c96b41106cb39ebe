#include "base/hash.h"

#include <openssl/evp.h>

#include <vector>

#include "base/check.h"
#include "base/file.h"

namespace pintle {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(new State) {
  PINTLE_CHECK(EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1, "OpenSSL offers no SHA-256");
}
Sha256::~Sha256() = default;

void Sha256::Update(std::string_view bytes) {
  PINTLE_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1, "SHA-256 update");
}

Sha256Digest Sha256::Finish() {
  Sha256Digest digest;
  unsigned size = 0;
  PINTLE_CHECK(EVP_DigestFinal_ex(state_->context, digest.data(), &size) == 1 && size == 32, "SHA-256 finish");
  return digest;
}

Sha256Digest Sha256Of(std::string_view bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.Finish();
}

std::string ToHex(const uint8_t* bytes, size_t size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(2 * size, '0');
  for (size_t i = 0; i < size; ++i) {
    text[2 * i] = kDigits[bytes[i] >> 4];
    text[2 * i + 1] = kDigits[bytes[i] & 15];
  }
  return text;
}

Result<std::string> Sha256HexOfFile(const std::filesystem::path& path) {
  PINTLE_ASSIGN(File file, File::OpenRead(path));
  Sha256 hash;
  std::vector<char> buffer(1 << 20);
  while (true) {
    PINTLE_ASSIGN(const size_t got, file.Read(buffer.data(), buffer.size()));
    if (got == 0) break;
    hash.Update({buffer.data(), got});
  }
  return ToHex(hash.Finish());
}

}  // namespace pintle
