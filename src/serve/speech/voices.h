// The voices that requests may name: OpenAI's names, each a speaker of ours, and the speakers themselves.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "models/speech/voice.h"

namespace pintle {

/// A name and who speaks under it.
struct VoiceName {
  std::string_view name;
  std::string_view speaker;
};
std::span<const VoiceName> VoiceNames();
/// Null if there is none of that name.
const VoiceName* FindVoiceName(std::string_view name);

/// The loaded speakers.
class VoiceSet {
 public:
  VoiceSet();
  ~VoiceSet();
  VoiceSet(const VoiceSet&) = delete;
  VoiceSet& operator=(const VoiceSet&) = delete;
  [[nodiscard]] Voice& Get(const VoiceName& name) const;

 private:
  std::unique_ptr<Voice> female_, male_;
};

}  // namespace pintle
