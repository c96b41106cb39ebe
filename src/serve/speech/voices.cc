#include "serve/speech/voices.h"

#include <algorithm>
#include <iterator>

#include "serve/speech/flite_voice.h"

namespace pintle {
namespace {

constexpr VoiceName kNames[] = {{"alloy", "slt"}, {"ash", "rms"},     {"ballad", "rms"}, {"coral", "slt"},
                                {"echo", "rms"},  {"fable", "rms"},   {"onyx", "rms"},   {"nova", "slt"},
                                {"sage", "slt"},  {"shimmer", "slt"}, {"verse", "rms"},  {"marin", "slt"},
                                {"cedar", "rms"}, {"slt", "slt"},     {"rms", "rms"}};

}  // namespace

std::span<const VoiceName> VoiceNames() { return kNames; }

const VoiceName* FindVoiceName(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kNames), std::end(kNames), [&](const VoiceName& v) { return v.name == name; });
  return found == std::end(kNames) ? nullptr : found;
}

VoiceSet::VoiceSet() : female_(NewFliteVoice("slt")), male_(NewFliteVoice("rms")) {}
VoiceSet::~VoiceSet() = default;

Voice& VoiceSet::Get(const VoiceName& name) const { return name.speaker == "slt" ? *female_ : *male_; }

}  // namespace pintle
