#include "text/speech/normalise.h"

#include <algorithm>

#include "text/speech/fold.h"
#include "text/speech/spoken_rules.h"

namespace pintle {
namespace {

// Letters and apostrophes, parted by hyphens.
bool IsWords(std::string_view core) {
  return std::all_of(core.begin(), core.end(), [](char c) { return IsLetter(c) || c == '\'' || c == '-'; }) &&
         std::any_of(core.begin(), core.end(), IsLetter);
}

void SayWords(std::string_view core, SpokenWriter& out) {
  for (size_t begin = 0; begin < core.size();) {
    const size_t end = std::min(core.find('-', begin), core.size());
    SayWord(core.substr(begin, end - begin), out);
    if (core.substr(end, 2) == "--") out.Pause(',');
    begin = end + 1;
  }
}

SpokenStep Say(std::span<const SpokenToken> tokens, std::string_view previous, SpokenWriter& out) {
  const std::string_view core = tokens[0].core;
  if (SpokenStep step = SayNumber(tokens, out); step.tokens > 0) return step;
  if (SpokenStep step = SayAbbreviation(tokens, previous, out); step.tokens > 0) return step;
  if (core.empty() || std::none_of(core.begin(), core.end(), [](char c) { return IsLetter(c) || IsDigit(c); })) {
    SaySigns(tokens[0].whole, out);
  } else if (IsWords(core)) {
    SayWords(core, out);
  } else if (!SayAddress(core, out)) {
    SayMixture(core, out);
  }
  return {1, false};
}

}  // namespace

SpokenText NormaliseForSpeech(std::string_view text) {
  const FoldedText folded = FoldToAscii(text);
  const std::vector<SpokenToken> tokens = CutTokens(folded.text);
  SpokenWriter out;
  std::string_view previous;
  for (size_t at = 0; at < tokens.size();) {
    const std::span<const SpokenToken> rest = std::span(tokens).subspan(at);
    if (rest[0].opens) out.Pause(',');
    const SpokenStep step = Say(rest, previous, out);
    const SpokenToken& last = rest[step.tokens - 1];
    const char pause = step.dot_used ? last.besides_dot : last.pause;
    if (pause != 0) out.Pause(pause);
    if (last.paragraph) out.Paragraph();
    previous = last.core;
    at += step.tokens;
  }
  if (!tokens.empty()) out.Pause('.');
  return {std::move(out).Take(), folded.dropped};
}

}  // namespace pintle
