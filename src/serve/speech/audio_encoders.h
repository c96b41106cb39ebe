// The encoders behind NewAudioEncoder, one file each, because each includes its library's header. Internal to
// audio_encoder.cc.
#pragma once

#include "serve/speech/audio_encoder.h"

namespace pintle {

Result<std::unique_ptr<AudioEncoder>> NewFlacEncoder(int sample_rate);
Result<std::unique_ptr<AudioEncoder>> NewOpusEncoder(int sample_rate);
Result<std::unique_ptr<AudioEncoder>> NewMp3Encoder(int sample_rate);

}  // namespace pintle
