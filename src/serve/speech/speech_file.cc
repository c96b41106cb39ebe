#include "serve/speech/speech_file.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <system_error>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/time.h"

namespace pintle {
namespace {

namespace fs = std::filesystem;

Result<SpeechFigures> SayInto(const SpeechOptions& options, const std::function<Status(std::string_view)>& write,
                              std::string& beginning) {
  const double start = MonotonicSeconds();
  const VoiceSet voices;
  PINTLE_ASSIGN(const std::unique_ptr<Speech> speech, Speech::Create(voices, options));
  SpeechFigures figures;
  Status written;
  while (!speech->done()) {
    PINTLE_RETURN_IF_ERROR(speech->SayNext([&](const std::string& bytes) {
      if (figures.bytes == 0) figures.first_audio_seconds = MonotonicSeconds() - start;
      figures.bytes += bytes.size();
      written = write(bytes);
      return written.ok() && !Interrupted();
    }));
  }
  PINTLE_RETURN_IF_ERROR(written);
  if (speech->stopped()) return RuntimeError("interrupted");
  beginning = speech->Beginning();
  figures.audio_seconds = speech->audio_seconds();
  figures.dropped = speech->dropped();
  figures.seconds = MonotonicSeconds() - start;
  return figures;
}

}  // namespace

Result<SpeechFigures> RecordSpeech(const SpeechOptions& options, const std::string& path) {
  std::string beginning;
  if (path == "-") {
    const auto print = [](std::string_view bytes) -> Status {
      if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size() || std::fflush(stdout) != 0) {
        return RuntimeError("cannot write", "standard output");
      }
      return {};
    };
    return SayInto(options, print, beginning);
  }
  const fs::path temporary = path + ".tmp" + std::to_string(::getpid());
  const auto record = [&]() -> Result<SpeechFigures> {
    PINTLE_ASSIGN(File file, File::Create(temporary));
    const auto append = [&file](std::string_view bytes) { return file.Write(bytes); };
    PINTLE_ASSIGN(const SpeechFigures figures, SayInto(options, append, beginning));
    PINTLE_RETURN_IF_ERROR(file.WriteAt(beginning, 0));
    PINTLE_RETURN_IF_ERROR(file.Sync());
    PINTLE_RETURN_IF_ERROR(file.Close());
    std::error_code code;
    fs::rename(temporary, path, code);
    if (code) return RuntimeError("cannot rename into place: " + code.message(), path);
    PINTLE_RETURN_IF_ERROR(SyncFolder(fs::path(path).parent_path()));
    return figures;
  };
  Result<SpeechFigures> figures = record();
  if (!figures.ok()) {
    std::error_code missing;
    fs::remove(temporary, missing);
  }
  return figures;
}

}  // namespace pintle
