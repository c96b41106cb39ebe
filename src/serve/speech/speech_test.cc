#include "serve/speech/speech.h"

#include <doctest/doctest.h>

#include <cmath>

namespace pintle {
namespace {

const VoiceSet& Voices() {
  static const VoiceSet voices;
  return voices;
}

std::string Said(const SpeechOptions& options) {
  auto speech = Speech::Create(Voices(), options);
  REQUIRE(speech.ok());
  std::string bytes;
  while (!(*speech)->done()) {
    REQUIRE((*speech)
                ->SayNext([&](std::string more) {
                  bytes += more;
                  return true;
                })
                .ok());
  }
  return bytes;
}

SpeechOptions Pcm(std::string text, std::string voice = "alloy", double speed = 1) {
  return {std::move(text), std::move(voice), AudioFormat::kPcm, speed};
}

double Seconds(const std::string& pcm) { return static_cast<double>(pcm.size()) / 48000; }

TEST_CASE("a sentence takes about as long as it takes to say it, and is neither silent nor cut off") {
  const std::string pcm = Said(Pcm("The quick brown fox jumps over the lazy dog."));
  CHECK(Seconds(pcm) > 2);
  CHECK(Seconds(pcm) < 4);
  double power = 0;
  int limited = 0;
  for (size_t i = 0; i + 1 < pcm.size(); i += 2) {
    const auto sample = static_cast<int16_t>(static_cast<uint8_t>(pcm[i]) | static_cast<uint8_t>(pcm[i + 1]) << 8);
    power += sample * static_cast<double>(sample);
    limited += std::abs(sample) > 32700 ? 1 : 0;
  }
  CHECK(std::sqrt(power / (static_cast<double>(pcm.size()) / 2)) > 500);
  CHECK(limited == 0);
}

TEST_CASE("the same text gives the same bytes, whatever was said before, and voices differ") {
  const std::string first = Said(Pcm("One sentence. And another one, after a pause!"));
  const std::string other = Said(Pcm("One sentence. And another one, after a pause!", "echo"));
  CHECK(first != other);
  Said(Pcm("Something else"));
  CHECK(Said(Pcm("One sentence. And another one, after a pause!")) == first);
  CHECK(Said(Pcm("One sentence. And another one, after a pause!", "slt")) == first);
}

TEST_CASE("recordings that take turns do not disturb each other") {
  const std::string first = "First part. Second part. Third part.", second = "Completely different. Words are these.";
  auto a = Speech::Create(Voices(), Pcm(first)), b = Speech::Create(Voices(), Pcm(second, "alloy", 2));
  REQUIRE((a.ok() && b.ok()));
  std::string said_a, said_b;
  const auto into = [](std::string& out) {
    return [&out](const std::string& bytes) {
      out += bytes;
      return true;
    };
  };
  while (!(*a)->done() || !(*b)->done()) {
    REQUIRE((*a)->SayNext(into(said_a)).ok());
    REQUIRE((*b)->SayNext(into(said_b)).ok());
  }
  CHECK(said_a == Said(Pcm(first)));
  CHECK(said_b == Said(Pcm(second, "alloy", 2)));
}

TEST_CASE("speed changes the length") {
  const std::string text = "Speak this sentence at another speed please.";
  const double normal = Seconds(Said(Pcm(text)));
  CHECK(Seconds(Said(Pcm(text, "alloy", 0.25))) == doctest::Approx(4 * normal).epsilon(0.1));
  CHECK(Seconds(Said(Pcm(text, "alloy", 0.5))) == doctest::Approx(2 * normal).epsilon(0.1));
  CHECK(Seconds(Said(Pcm(text, "alloy", 2))) == doctest::Approx(normal / 2).epsilon(0.15));
  CHECK(Seconds(Said(Pcm(text, "alloy", 4))) < normal / 2.5);
}

TEST_CASE("sound comes before the whole piece is made, and a sink ends it at once") {
  auto speech = Speech::Create(Voices(), Pcm("A long sentence goes on and on, so that its sound comes in many parts."));
  REQUIRE(speech.ok());
  int calls = 0;
  REQUIRE((*speech)->SayNext([&](const std::string&) { return ++calls < 3; }).ok());
  CHECK(calls == 3);
  CHECK((*speech)->stopped());
  CHECK((*speech)->done());
  CHECK((*speech)->audio_seconds() < 1);
}

TEST_CASE("a letter's name is not the article") { CHECK(Said(Pcm("We saw A and B")) != Said(Pcm("we saw a and B"))); }

TEST_CASE("what cannot be said is refused with a reason") {
  const auto refused = [](const SpeechOptions& options) {
    const auto speech = Speech::Create(Voices(), options);
    REQUIRE_FALSE(speech.ok());
    CHECK(speech.error().code == Code::kValidation);
    return speech.error().what;
  };
  CHECK(refused(Pcm("\xF0\x9F\xA6\x80")) == "the text holds nothing that can be said");
  CHECK(refused(Pcm("hello", "nobody")) == "there is no voice 'nobody'");
  CHECK(refused(Pcm("hello", "alloy", 0.2)) == "a speed lies between 0.25 and 4");
  CHECK(refused(Pcm("hello", "alloy", std::nan(""))) == "a speed lies between 0.25 and 4");
}

TEST_CASE("hostile text is said or passed over, never a failure") {
  for (const std::string& text :
       {std::string("\x01\x02 a \x7F \xFF\xFE b"), std::string(400, 'a'), std::string(60, '9'), std::string("%s %n %d"),
        std::string("<speak>&amp;</speak>"), std::string("a'a''a 'a' A's")}) {
    CHECK(Seconds(Said(Pcm(text))) > 0.1);
  }
}

}  // namespace
}  // namespace pintle
