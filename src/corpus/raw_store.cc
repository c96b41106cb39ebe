#include "corpus/raw_store.h"

#include <algorithm>
#include <boost/json.hpp>
#include <unordered_map>

#include "base/json.h"
#include "formats/jsonl_zst.h"

namespace pintle {
namespace json = boost::json;
namespace {

constexpr char kPackName[] = "files.pack";
constexpr char kIndexName[] = "files.jsonl.zst";

Result<Sha256Digest> ParseDigest(const std::string& hex, const std::string& where) {
  Sha256Digest digest{};
  const auto nibble = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  if (hex.size() != 2 * digest.size()) return ValidationError("a SHA-256 needs 64 digits", where);
  for (size_t i = 0; i < digest.size(); ++i) {
    const int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);
    if (high < 0 || low < 0) return ValidationError("a SHA-256 is lower-case hexadecimal", where);
    digest[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return digest;
}

}  // namespace

size_t RawStoreWriter::DigestHash::operator()(const Sha256Digest& digest) const {
  size_t value = 0;
  for (size_t i = 0; i < sizeof value; ++i) value = value << 8 | digest[i];
  return value;
}

Result<RawStoreWriter> RawStoreWriter::Create(const std::filesystem::path& folder) {
  RawStoreWriter writer;
  writer.folder_ = folder;
  PINTLE_ASSIGN(writer.pack_, File::Create(folder / kPackName));
  return writer;
}

Status RawStoreWriter::Add(const std::string& path, std::string_view bytes) {
  const Sha256Digest digest = Sha256Of(bytes);
  const auto [known, fresh] = offsets_.emplace(digest, pack_size_);
  if (fresh) {
    buffer_.append(bytes);
    pack_size_ += bytes.size();
    if (buffer_.size() >= kBufferSize) PINTLE_RETURN_IF_ERROR(Flush());
  }
  files_.push_back({path, digest, bytes.size(), known->second});
  return {};
}

Status RawStoreWriter::Flush() {
  PINTLE_RETURN_IF_ERROR(pack_.Write(buffer_));
  buffer_.clear();
  return {};
}

void RawStoreWriter::StripCommonFolder(int levels) {
  for (; levels > 0 && !files_.empty(); --levels) {
    const size_t slash = files_.front().path.find('/');
    if (slash == std::string::npos) return;
    const std::string top = files_.front().path.substr(0, slash + 1);
    for (const auto& file : files_) {
      if (!file.path.starts_with(top)) return;
    }
    for (auto& file : files_) file.path.erase(0, top.size());
  }
}

Status RawStoreWriter::Finish() {
  PINTLE_RETURN_IF_ERROR(Flush());
  PINTLE_RETURN_IF_ERROR(pack_.Sync());
  PINTLE_RETURN_IF_ERROR(pack_.Close());
  std::stable_sort(files_.begin(), files_.end(), [](const RawFile& a, const RawFile& b) { return a.path < b.path; });
  PINTLE_ASSIGN(JsonlZstWriter index, JsonlZstWriter::Create(folder_ / kIndexName));
  for (size_t i = 0; i < files_.size(); ++i) {
    if (i + 1 < files_.size() && files_[i + 1].path == files_[i].path) continue;
    const RawFile& file = files_[i];
    PINTLE_RETURN_IF_ERROR(index.Write(DumpJson(json::object{
        {"path", file.path}, {"sha256", ToHex(file.sha256)}, {"size", file.size}, {"offset", file.offset}})));
  }
  return index.Finish();
}

Result<RawStoreReader> RawStoreReader::Open(const std::filesystem::path& folder) {
  RawStoreReader reader;
  PINTLE_ASSIGN(reader.pack_, File::OpenRead(folder / kPackName));
  PINTLE_ASSIGN(const uint64_t pack_size, reader.pack_.Size());
  const std::filesystem::path path = folder / kIndexName;
  PINTLE_ASSIGN(JsonlZstReader index, JsonlZstReader::Open(path, 1 << 20));
  std::string line;
  for (int64_t number = 1;; ++number) {
    PINTLE_ASSIGN(const bool more, index.Next(line));
    if (!more) break;
    const std::string where = path.string() + ":" + std::to_string(number);
    PINTLE_ASSIGN(const json::value record, ParseJson(line, where));
    RawFile file;
    PINTLE_ASSIGN(file.path, JsonString(record, "path", where));
    PINTLE_ASSIGN(const std::string hex, JsonString(record, "sha256", where));
    PINTLE_ASSIGN(file.sha256, ParseDigest(hex, where));
    PINTLE_ASSIGN(const int64_t size, JsonInt(record, "size", where));
    PINTLE_ASSIGN(const int64_t offset, JsonInt(record, "offset", where));
    if (size < 0 || offset < 0 || static_cast<uint64_t>(offset) > pack_size ||
        static_cast<uint64_t>(size) > pack_size - static_cast<uint64_t>(offset)) {
      return ValidationError("the record points outside files.pack", where);
    }
    file.size = static_cast<uint64_t>(size);
    file.offset = static_cast<uint64_t>(offset);
    if (!reader.files_.empty() && !(reader.files_.back().path < file.path)) {
      return ValidationError("the records are not sorted by path", where);
    }
    reader.files_.push_back(std::move(file));
  }
  return reader;
}

Result<std::string> RawStoreReader::Read(const RawFile& file) const {
  std::string bytes(file.size, '\0');
  PINTLE_RETURN_IF_ERROR(pack_.ReadAt(bytes.data(), bytes.size(), file.offset));
  if (Sha256Of(bytes) != file.sha256) {
    return ValidationError("damaged: the content of " + file.path + " does not have its SHA-256", pack_.path().string(),
                           "remove that folder and run `pintle m31r crawl` again");
  }
  return bytes;
}

}  // namespace pintle
