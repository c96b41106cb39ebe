// Changes the sample rate by a ratio of whole numbers: a polyphase filter made of a windowed sinc (Kaiser window). A
// voice speaks at its own rate, a format wants another one.
//
// Numbers: every output sample is one dot product in the fixed order of kernels/reduce.h, and how the input is cut into
// pushes does not show. The filter is flat within 0.01 dB up to 0.9 of the lower of the two Nyquist frequencies and at
// least 90 dB down from that Nyquist frequency on; it delays nothing (its middle stands on the sample).
// Source: Smith, "Digital Audio Resampling"; Kaiser and Schafer 1980 for the window.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace pintle {

/// One stream of mono samples. One thread.
class Resampler {
 public:
  /// Rates from 1,000 to 384,000. Equal rates pass the samples through.
  Resampler(int from_rate, int to_rate);

  /// Takes input and appends the output that is certain to `out`.
  void Push(std::span<const float> in, std::vector<float>& out);
  /// Appends the rest, as if silence followed: ceil(input * to / from) samples in all. Only once, at the end.
  void Finish(std::vector<float>& out);

 private:
  void Drain(int64_t input_end, std::vector<float>& out);

  int64_t up_, down_;           // the rates without their common factor
  int64_t taps_ = 0;            // of one phase
  std::vector<float> filters_;  // [up, taps]: the filter of each place between two input samples
  std::vector<float> history_;  // input from history_begin_ on
  int64_t history_begin_ = 0, input_ = 0, output_ = 0;
};

/// To 16 bits: scaled by 32768, rounded to the nearest (halves away from zero), limited.
int16_t ToSample16(float sample);

}  // namespace pintle
