// Floats into the quantised blocks of GGUF files. Plain arithmetic in a fixed order: the same bytes on every machine.
// The way back is GgufDecode. Q8_0 stands in gguf.cc with the float types.
#pragma once

#include <cstdint>
#include <string>

#include "formats/gguf.h"

namespace pintle {

/// True for Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K, IQ4_NL and IQ4_XS.
bool HasQuantEncoder(GgufType type);

/// Appends `count` values (whole blocks) in one of those types. Q4_0, Q5_0: d = the value of largest magnitude / -8 or
/// -16; Q4_1, Q5_1: from the smallest to the largest value. K types: each block of 32 (16 for Q6_K) tries a few scales,
/// fits scale and minimum by least squares and keeps the smallest squared error; scales are then rounded to 6 (8) bits
/// and the quants taken again with what was stored. IQ4 types: the same over their sixteen values, without a minimum.
void EncodeQuant(GgufType type, const float* values, int64_t count, std::string& out);

}  // namespace pintle
