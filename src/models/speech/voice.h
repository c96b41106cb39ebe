// A voice: words in, sound out. What neural voices and the embedded one have in common, so that nothing above knows
// which one speaks.
//
// Where it stands: text/speech says what is spoken and cuts it into pieces; a voice says one piece at its own rate;
// resampler.h brings that to the rate of a format; serve/speech encodes and sends. A voice deliberately sees no written
// text, no format and no request.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pintle {

/// Takes samples in [-1, 1], mono, as they come. False: stop speaking.
using SampleSink = std::function<bool(std::span<const float> samples)>;

/// One speaker. The same piece at the same speed always gives the same samples, whatever was said before. One call at a
/// time.
class Voice {
 public:
  Voice() = default;
  Voice(const Voice&) = delete;
  Voice& operator=(const Voice&) = delete;
  virtual ~Voice() = default;

  /// Samples a second.
  [[nodiscard]] virtual int sample_rate() const = 0;
  /// Says one piece of normalised text (text/speech/normalise.h): 1 is the voice's own speed, 2 takes half the time.
  /// Success also when the sink stopped it.
  virtual Status Speak(std::string_view piece, double speed, const SampleSink& sink) = 0;
};

}  // namespace pintle
