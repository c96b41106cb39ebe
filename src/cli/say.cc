// `pintle say`: a text as speech in a file, without a server.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "base/json.h"
#include "base/log.h"
#include "cli/verbs.h"
#include "serve/speech/speech_file.h"

namespace pintle {
namespace {

struct Options {
  std::string text, out, format;
  SpeechOptions speech;
};

// --format, else what the file's name says; standard output is wav if nobody says otherwise.
Result<AudioFormat> ChooseFormat(const Options& options) {
  std::string name = options.format;
  if (name.empty()) {
    const std::string extension = std::filesystem::path(options.out).extension().string();
    name = options.out == "-" ? "wav" : extension.empty() ? "" : extension.substr(1);
  }
  if (const auto format = FindAudioFormat(name)) return *format;
  return UsageError("the format '" + name + "' is not known", options.format.empty() ? "--out" : "--format",
                    "there are mp3, opus, flac, wav and pcm");
}

Status Say(Options options, const Global& global) {
  PINTLE_ASSIGN(options.speech.format, ChooseFormat(options));
  if (global.json && options.out == "-") return UsageError("standard output holds the sound", "--json");
  options.speech.text =
      options.text == "-" ? std::string(std::istreambuf_iterator<char>(std::cin), {}) : std::move(options.text);
  if (global.dry_run) {
    LogInfo("say", fmt::format("would say {} bytes of text as {} into {}", options.speech.text.size(),
                               AudioFormatName(options.speech.format), options.out));
    return {};
  }
  PINTLE_ASSIGN(const SpeechFigures figures, RecordSpeech(options.speech, options.out));
  if (figures.dropped > 0) LogWarning("say", fmt::format("{} characters could not be said", figures.dropped));
  const double real_time = figures.seconds / figures.audio_seconds;
  LogInfo("say", fmt::format("{:.1f} s of sound in {:.2f} s (real-time factor {:.3f}), first sound after {:.0f} ms",
                             figures.audio_seconds, figures.seconds, real_time, 1000 * figures.first_audio_seconds));
  if (!global.json) return {};
  fmt::print("{}\n", DumpJson(boost::json::object{{"out", options.out},
                                                  {"format", AudioFormatName(options.speech.format)},
                                                  {"voice", options.speech.voice},
                                                  {"bytes", figures.bytes},
                                                  {"audio_seconds", figures.audio_seconds},
                                                  {"seconds", figures.seconds},
                                                  {"real_time_factor", real_time},
                                                  {"first_audio_seconds", figures.first_audio_seconds},
                                                  {"dropped_characters", figures.dropped}}));
  return {};
}

}  // namespace

void RegisterSay(Command& pintle) {
  auto options = std::make_shared<Options>();
  Command& verb = pintle.Add("say", "a text as speech");
  verb.Option("text", options->text, "the text; - reads standard input").Required();
  verb.Option("-o,--out", options->out, "the file; - is standard output").Required();
  verb.Option("--format", options->format, "mp3, opus, flac, wav or pcm (default: as the file's name ends)");
  verb.Option("--voice", options->speech.voice, "alloy, echo, nova, ... or slt, rms");
  verb.Option("--speed", options->speech.speed, "from 0.25 to 4");
  verb.Run([options](const Global& global) { return Say(*options, global); });
}

}  // namespace pintle
