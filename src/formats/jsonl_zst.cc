#include "formats/jsonl_zst.h"

#include <zstd.h>

#include <cstring>
#include <vector>

#include "base/file.h"

namespace pintle {

struct JsonlZstWriter::State {
  File file;
  ZSTD_CCtx* context = ZSTD_createCCtx();
  std::vector<char> out = std::vector<char>(ZSTD_CStreamOutSize());
  ~State() { ZSTD_freeCCtx(context); }

  Status Push(std::string_view bytes, ZSTD_EndDirective mode) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    while (true) {
      ZSTD_outBuffer to{out.data(), out.size(), 0};
      const size_t left = ZSTD_compressStream2(context, &to, &in, mode);
      if (ZSTD_isError(left)) return RuntimeError(ZSTD_getErrorName(left), file.path().string());
      PINTLE_RETURN_IF_ERROR(file.Write({out.data(), to.pos}));
      if (mode == ZSTD_e_end ? left == 0 : in.pos == in.size) return {};
    }
  }
};

JsonlZstWriter::JsonlZstWriter() : state_(new State) {}
JsonlZstWriter::JsonlZstWriter(JsonlZstWriter&&) noexcept = default;
JsonlZstWriter& JsonlZstWriter::operator=(JsonlZstWriter&&) noexcept = default;
JsonlZstWriter::~JsonlZstWriter() = default;

Result<JsonlZstWriter> JsonlZstWriter::Create(const std::filesystem::path& path, int level) {
  JsonlZstWriter writer;
  PINTLE_ASSIGN(writer.state_->file, File::Create(path));
  ZSTD_CCtx_setParameter(writer.state_->context, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(writer.state_->context, ZSTD_c_checksumFlag, 1);
  return writer;
}

Status JsonlZstWriter::Write(std::string_view line) {
  PINTLE_RETURN_IF_ERROR(state_->Push(line, ZSTD_e_continue));
  return state_->Push("\n", ZSTD_e_continue);
}

Status JsonlZstWriter::Finish() {
  PINTLE_RETURN_IF_ERROR(state_->Push({}, ZSTD_e_end));
  PINTLE_RETURN_IF_ERROR(state_->file.Sync());
  return state_->file.Close();
}

struct JsonlZstReader::State {
  File file;
  size_t max_line = 0;
  ZSTD_DCtx* context = ZSTD_createDCtx();
  std::vector<char> in_buffer = std::vector<char>(ZSTD_DStreamInSize());
  std::vector<char> out_buffer = std::vector<char>(ZSTD_DStreamOutSize());
  ZSTD_inBuffer in{in_buffer.data(), 0, 0};
  size_t out_position = 0, out_size = 0;
  size_t frame_left = 0;  // 0 exactly between frames
  bool end_of_file = false;
  ~State() { ZSTD_freeDCtx(context); }

  // Refills out_buffer; leaves it empty at the end of the stream.
  Status Fill() {
    out_position = out_size = 0;
    while (out_size == 0) {
      if (in.pos == in.size && !end_of_file) {
        PINTLE_ASSIGN(in.size, file.Read(in_buffer.data(), in_buffer.size()));
        in.pos = 0;
        end_of_file = in.size == 0;
      }
      if (end_of_file && in.pos == in.size) {
        if (frame_left == 0) return {};
        ZSTD_outBuffer rest{out_buffer.data(), out_buffer.size(), 0};
        frame_left = ZSTD_decompressStream(context, &rest, &in);
        if (ZSTD_isError(frame_left) || rest.pos == 0) {
          return ValidationError("the compressed stream ends in the middle", file.path().string(),
                                 "make the file again with its stage");
        }
        out_size = rest.pos;
        return {};
      }
      ZSTD_outBuffer to{out_buffer.data(), out_buffer.size(), 0};
      frame_left = ZSTD_decompressStream(context, &to, &in);
      if (ZSTD_isError(frame_left)) {
        return ValidationError(std::string("damaged zstd stream: ") + ZSTD_getErrorName(frame_left),
                               file.path().string());
      }
      out_size = to.pos;
    }
    return {};
  }
};

JsonlZstReader::JsonlZstReader() : state_(new State) {}
JsonlZstReader::JsonlZstReader(JsonlZstReader&&) noexcept = default;
JsonlZstReader& JsonlZstReader::operator=(JsonlZstReader&&) noexcept = default;
JsonlZstReader::~JsonlZstReader() = default;

Result<JsonlZstReader> JsonlZstReader::Open(const std::filesystem::path& path, size_t max_line) {
  JsonlZstReader reader;
  PINTLE_ASSIGN(reader.state_->file, File::OpenRead(path));
  reader.state_->max_line = max_line;
  return reader;
}

Result<bool> JsonlZstReader::Next(std::string& line) {
  line.clear();
  State& s = *state_;
  while (true) {
    if (s.out_position == s.out_size) {
      PINTLE_RETURN_IF_ERROR(s.Fill());
      if (s.out_size == 0) {
        if (line.empty()) return false;
        return ValidationError("the last line has no end", s.file.path().string());
      }
    }
    const char* begin = s.out_buffer.data() + s.out_position;
    const size_t size = s.out_size - s.out_position;
    const void* newline = std::memchr(begin, '\n', size);
    const size_t take = newline == nullptr ? size : static_cast<size_t>(static_cast<const char*>(newline) - begin);
    if (line.size() + take > s.max_line) {
      return ValidationError("a line is longer than " + std::to_string(s.max_line) + " bytes", s.file.path().string());
    }
    line.append(begin, take);
    s.out_position += take + (newline == nullptr ? 0 : 1);
    if (newline != nullptr) return true;
  }
}

}  // namespace pintle
