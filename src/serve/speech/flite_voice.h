// The embedded voices: Debian's Flite with the speakers slt (female) and rms (male), linked dynamically, at 16 kHz.
// They speak until a neural voice is there; behind voice.h they look like one.
#pragma once

#include <memory>
#include <string_view>

#include "models/speech/voice.h"

namespace pintle {

/// `speaker` is "slt" or "rms". Flite is not thread-safe: calls of all Flite voices wait for each other. Samples come
/// in pieces of a tenth of a second while the rest is being made. Speeds from 0.25 to 4 stretch the durations of the
/// sounds, not the pitch; above about 2.5 the shortest sounds cannot get shorter, so that the text takes longer than
/// 1/speed.
std::unique_ptr<Voice> NewFliteVoice(std::string_view speaker);

}  // namespace pintle
