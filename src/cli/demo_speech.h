// The part of `pintle demo` in which the embedded voice says a sentence.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace pintle {

/// Says a sentence into `folder`/hello.wav and prints the path.
Status DemoSpeech(const std::filesystem::path& folder);

}  // namespace pintle
