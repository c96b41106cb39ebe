#include "formats/shard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace pintle {
namespace {

constexpr char kMagic[8] = {'P', 'N', 'T', 'L', 'S', 'H', 'R', 'D'};
constexpr uint32_t kVersion = 1;
constexpr size_t kFlushBytes = size_t{1} << 20;

// On disk; never changes. header_sha256 covers the bytes before it.
struct Header {
  char magic[8];
  uint32_t version, width, vocabulary, reserved;
  uint64_t tokens, documents, token_offset, index_offset;
  char tokenizer_hash[64];
  uint8_t tokens_sha256[32], index_sha256[32];
  uint8_t padding[40];
  uint8_t header_sha256[32];
};
static_assert(sizeof(Header) == 256 && offsetof(Header, header_sha256) == 224);

template <typename T>
std::string_view BytesOf(const T* data, size_t count) {
  return {reinterpret_cast<const char*>(data), count * sizeof(T)};
}

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// The index begins at a multiple of 8 so that it can be used where it is mapped.
uint64_t AlignIndex(uint64_t offset) { return (offset + 7) / 8 * 8; }

}  // namespace

Result<ShardWriter> ShardWriter::Create(const std::filesystem::path& path, uint32_t vocabulary,
                                        const std::string& tokenizer_hash) {
  if (vocabulary == 0 || tokenizer_hash.size() != 64 || !IsHex(tokenizer_hash)) {
    return ValidationError("a shard needs a vocabulary and its hash", path.string());
  }
  ShardWriter writer;
  PINTLE_ASSIGN(writer.file_, File::Create(path));
  PINTLE_RETURN_IF_ERROR(writer.file_.Write(std::string(sizeof(Header), '\0')));
  writer.token_hash_ = std::make_shared<Sha256>();
  writer.tokenizer_hash_ = tokenizer_hash;
  writer.vocabulary_ = vocabulary;
  writer.width_ = vocabulary > 65536 ? 4 : 2;
  return writer;
}

Status ShardWriter::Add(std::span<const int32_t> ids, ShardDocument document) {
  if (ids.size() > UINT32_MAX || document.path_tokens > ids.size()) {
    return ValidationError("a document is too long for a shard", file_.path().string());
  }
  for (const int32_t id : ids) {
    if (id < 0 || static_cast<uint32_t>(id) >= vocabulary_) {
      return ValidationError(fmt::format("token id {} is not in the vocabulary of {}", id, vocabulary_),
                             file_.path().string());
    }
    buffer_.append(reinterpret_cast<const char*>(&id), width_);  // little-endian: the low bytes come first
  }
  document.token_begin = tokens_;
  document.token_count = static_cast<uint32_t>(ids.size());
  tokens_ += ids.size();
  index_.push_back(document);
  if (buffer_.size() < kFlushBytes) return {};
  token_hash_->Update(buffer_);
  PINTLE_RETURN_IF_ERROR(file_.Write(buffer_));
  buffer_.clear();
  return {};
}

Status ShardWriter::Finish() {
  token_hash_->Update(buffer_);
  Header header{};
  std::copy(std::begin(kMagic), std::end(kMagic), header.magic);
  header.version = kVersion;
  header.width = width_;
  header.vocabulary = vocabulary_;
  header.tokens = tokens_;
  header.documents = index_.size();
  header.token_offset = sizeof(Header);
  header.index_offset = AlignIndex(sizeof(Header) + tokens_ * width_);
  std::copy(tokenizer_hash_.begin(), tokenizer_hash_.end(), header.tokenizer_hash);
  const Sha256Digest tokens_sha256 = token_hash_->Finish();
  std::copy(tokens_sha256.begin(), tokens_sha256.end(), header.tokens_sha256);
  const std::string_view index = BytesOf(index_.data(), index_.size());
  const Sha256Digest index_sha256 = Sha256Of(index);
  std::copy(index_sha256.begin(), index_sha256.end(), header.index_sha256);
  const Sha256Digest header_sha256 = Sha256Of(BytesOf(&header, 1).substr(0, offsetof(Header, header_sha256)));
  std::copy(header_sha256.begin(), header_sha256.end(), header.header_sha256);

  buffer_.append(header.index_offset - sizeof(Header) - tokens_ * width_, '\0');
  buffer_.append(index);
  PINTLE_RETURN_IF_ERROR(file_.Write(buffer_));
  PINTLE_RETURN_IF_ERROR(file_.WriteAt(BytesOf(&header, 1), 0));
  PINTLE_RETURN_IF_ERROR(file_.Sync());
  return file_.Close();
}

Result<ShardReader> ShardReader::Open(const std::filesystem::path& path) {
  ShardReader reader;
  reader.path_ = path.string();
  PINTLE_ASSIGN(reader.file_, MappedFile::Open(path));
  const std::string_view bytes = reader.file_.bytes();
  const auto damaged = [&](const char* what) {
    return ValidationError(fmt::format("damaged shard: {}", what), reader.path_, "run m31r shard again");
  };
  Header header;
  if (bytes.size() < sizeof header) return damaged("shorter than its header");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (!std::equal(std::begin(kMagic), std::end(kMagic), header.magic)) {
    return ValidationError("not a token shard", reader.path_);
  }
  if (header.version != kVersion) {
    return ValidationError(fmt::format("shard version {} is not {}", header.version, kVersion), reader.path_,
                           "run m31r shard again with this program");
  }
  const Sha256Digest header_sha256 = Sha256Of(bytes.substr(0, offsetof(Header, header_sha256)));
  if (!std::equal(header_sha256.begin(), header_sha256.end(), header.header_sha256)) {
    return damaged("the header does not have its hash");
  }
  // From here on a wrong value is no accident: each one is still checked before it is used.
  const uint64_t width = header.vocabulary > 65536 ? 4 : 2;
  if (header.vocabulary == 0 || header.width != width) return damaged("token width and vocabulary disagree");
  if (header.token_offset != sizeof(Header) || header.tokens > (bytes.size() - sizeof(Header)) / width ||
      header.index_offset != AlignIndex(sizeof(Header) + header.tokens * width) || header.index_offset > bytes.size()) {
    return damaged("tokens leave the file");
  }
  const uint64_t index_bytes = bytes.size() - header.index_offset;
  if (header.documents != index_bytes / sizeof(ShardDocument) || index_bytes % sizeof(ShardDocument) != 0) {
    return damaged("the index does not fill the rest of the file");
  }
  const Sha256Digest index_sha256 = Sha256Of(bytes.substr(header.index_offset));
  if (!std::equal(index_sha256.begin(), index_sha256.end(), header.index_sha256)) {
    return damaged("the index does not have its hash");
  }
  reader.documents_ = {reinterpret_cast<const ShardDocument*>(bytes.data() + header.index_offset), header.documents};
  uint64_t next = 0;
  for (const ShardDocument& document : reader.documents_) {
    if (document.token_begin != next || document.path_tokens > document.token_count ||
        document.token_count > header.tokens - next) {
      return damaged("documents do not follow each other");
    }
    next += document.token_count;
  }
  if (next != header.tokens) return damaged("tokens outside of documents");
  reader.tokenizer_hash_.assign(header.tokenizer_hash, sizeof header.tokenizer_hash);
  if (!IsHex(reader.tokenizer_hash_)) return damaged("the tokenizer's hash is none");
  reader.tokens_sha256_.assign(reinterpret_cast<const char*>(header.tokens_sha256), sizeof header.tokens_sha256);
  reader.data_ = bytes.data() + sizeof(Header);
  reader.tokens_ = header.tokens;
  reader.vocabulary_ = header.vocabulary;
  reader.width_ = header.width;
  return reader;
}

uint32_t ShardReader::Token(uint64_t at) const {
  uint32_t id = 0;
  std::memcpy(&id, data_ + at * width_, width_);
  return id;
}

void ShardReader::Read(uint64_t begin, uint64_t count, std::vector<int32_t>& ids) const {
  for (uint64_t i = begin; i < begin + count; ++i) ids.push_back(static_cast<int32_t>(Token(i)));
}

Status ShardReader::Verify() const {
  const Sha256Digest digest = Sha256Of({data_, tokens_ * width_});
  if (!std::equal(digest.begin(), digest.end(), tokens_sha256_.begin(),
                  [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); })) {
    return ValidationError("damaged shard: the tokens do not have their hash", path_, "run m31r shard again");
  }
  for (uint64_t i = 0; i < tokens_; ++i) {
    if (Token(i) >= vocabulary_) return ValidationError(fmt::format("damaged shard: token {} is no id", i), path_);
  }
  return {};
}

int64_t ShardReader::DocumentOf(uint64_t token) const {
  if (token >= tokens_) return -1;
  const auto after = std::upper_bound(documents_.begin(), documents_.end(), token,
                                      [](uint64_t at, const ShardDocument& d) { return at < d.token_begin; });
  return after - documents_.begin() - 1;
}

std::vector<std::filesystem::path> ShardPaths(const std::filesystem::path& folder, const std::string& split) {
  std::vector<std::filesystem::path> paths;
  std::error_code ignored;
  while (true) {
    std::filesystem::path path = folder / fmt::format("{}-{:05}.bin", split, paths.size());
    if (!std::filesystem::is_regular_file(path, ignored)) return paths;
    paths.push_back(std::move(path));
  }
}

}  // namespace pintle
