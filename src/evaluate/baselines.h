// What a model's bits per byte stand beside: general compressors and a small statistical model on the very same bytes.
// Like the compressors, the 5-gram model learns as it goes and has seen nothing before.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pintle {

/// Compressed size in bits over size in bytes, zstd level 19, one frame with a window over all.
Result<double> ZstdBitsPerByte(std::string_view bytes);
/// The same by xz level 9, container included.
Result<double> XzBitsPerByte(std::string_view bytes);
/// An adaptive byte model with contexts of 0 to 4 bytes, orders mixed by Witten and Bell's rule: in a context seen n
/// times with t distinct followers, p(c) = (count(c) + t * p_shorter(c)) / (n + t); the shortest is uniform.
double FiveGramBitsPerByte(std::string_view bytes);

}  // namespace pintle
