#include "cli/demo_speech.h"

#include <fmt/format.h>

#include "base/file.h"
#include "serve/speech/speech_file.h"

namespace pintle {

Status DemoSpeech(const std::filesystem::path& folder) {
  PINTLE_RETURN_IF_ERROR(MakeFolder(folder));
  SpeechOptions speech;
  speech.text = "Hello. This sentence was spoken by your own machine, and nobody else has heard it.";
  speech.format = AudioFormat::kWav;
  const std::filesystem::path path = folder / "hello.wav";
  PINTLE_ASSIGN(const SpeechFigures figures, RecordSpeech(speech, path.string()));
  fmt::print("\n== the embedded voice says a sentence\n\n\"{}\"\n{:.1f} s of sound, made in {:.2f} s: {}\n",
             speech.text, figures.audio_seconds, figures.seconds, path.string());
  return {};
}

}  // namespace pintle
