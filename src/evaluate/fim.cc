#include "evaluate/fim.h"

#include <algorithm>
#include <optional>

#include "base/hash.h"
#include "base/interrupt.h"
#include "base/rng.h"
#include "evaluate/estimator.h"

namespace pintle {
namespace {

struct Line {
  size_t begin, end;  // without the newline
  size_t code;        // behind the indentation
};

std::vector<Line> SplitLines(std::string_view text) {
  std::vector<Line> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back({begin, end, std::min(text.find_first_not_of(" \t", begin), end)});
    begin = end + 1;
  }
  return lines;
}

// A line worth asking for: indented code with letters in it, no comment, no attribute.
bool IsCode(std::string_view text, const Line& line) {
  constexpr size_t kShortest = 4, kLongest = 120;
  const std::string_view code = text.substr(line.code, line.end - line.code);
  if (line.code == line.begin || code.size() < kShortest || code.size() > kLongest) return false;
  if (code.substr(0, 2) == "//" || code.front() == '#' || code.front() == '*' || code.substr(0, 2) == "/*")
    return false;
  return std::any_of(code.begin(), code.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

bool InsideCharacter(std::string_view text, size_t offset) {
  return offset < text.size() && (static_cast<uint8_t>(text[offset]) & 0xC0) == 0x80;
}

// [begin, end) of the piece, or nothing.
std::optional<std::pair<size_t, size_t>> ChoosePiece(std::string_view text, FimKind kind, RandomStream& random) {
  if (kind == FimKind::kRandomSpan) {
    constexpr uint32_t kShortest = 10, kLongest = 120;
    if (text.size() < 2 * kLongest) return {};
    size_t begin = random.NextBelow(static_cast<uint32_t>(text.size() - kLongest));
    size_t end = begin + kShortest + random.NextBelow(kLongest - kShortest + 1);
    while (InsideCharacter(text, begin)) ++begin;
    while (InsideCharacter(text, end)) ++end;
    return std::pair{begin, std::min(end, text.size())};
  }
  const std::vector<Line> lines = SplitLines(text);
  const size_t count = kind == FimKind::kSingleLine ? 1 : 2 + random.NextBelow(4);
  std::vector<size_t> places;
  for (size_t i = 0; i + count < lines.size(); ++i) {
    const auto begin = lines.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::all_of(begin, begin + static_cast<std::ptrdiff_t>(count),
                    [&](const Line& l) { return IsCode(text, l); })) {
      places.push_back(i);
    }
  }
  if (places.empty()) return {};
  const size_t first = places[random.NextBelow(static_cast<uint32_t>(places.size()))];
  return std::pair{lines[first].begin, lines[first + count - 1].end};
}

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

Result<std::string> Ask(TextModel& model, const FimCase& one) {
  SampleOptions options;
  options.max_tokens = one.kind == FimKind::kSingleLine ? 64 : one.kind == FimKind::kMultiLine ? 256 : 128;
  if (one.kind == FimKind::kSingleLine) options.stop = {"\n"};
  options.fit_prompt = true;
  const size_t most = one.middle.size() * 2 + 64;
  size_t seen = 0;
  const auto on_text = [&](std::string_view piece) { return (seen += piece.size()) <= most; };
  PINTLE_ASSIGN(Completion completion, model.Infill(one.prefix, one.suffix, options, on_text));
  return std::move(completion.text);
}

}  // namespace

const char* FimKindName(FimKind kind) {
  switch (kind) {
    case FimKind::kSingleLine:
      return "single_line";
    case FimKind::kMultiLine:
      return "multi_line";
    case FimKind::kRandomSpan:
      return "random_span";
  }
  return "";
}

std::vector<FimCase> MakeFimCases(const std::vector<HeldOutDocument>& documents, uint64_t seed, int64_t count) {
  std::vector<FimCase> cases;
  if (documents.empty()) return cases;
  for (const FimKind kind : kFimKinds) {
    RandomStream random(seed, Purpose::kEval, Fnv1a(FimKindName(kind)));
    int64_t made = 0;
    // Twenty tries a case: enough where such places exist at all.
    for (int64_t tries = 0; made < count && tries < 20 * count; ++tries) {
      const size_t document = random.NextBelow(static_cast<uint32_t>(documents.size()));
      const std::string& text = documents[document].text;
      const auto piece = ChoosePiece(text, kind, random);
      if (!piece.has_value()) continue;
      const auto [begin, end] = *piece;
      cases.push_back({kind, document, text.substr(0, begin), text.substr(begin, end - begin), text.substr(end)});
      ++made;
    }
  }
  return cases;
}

Result<std::vector<FimOutcome>> RunFim(TextModel& model, const std::vector<FimCase>& cases,
                                       const std::function<void(int64_t)>& on_progress) {
  std::vector<FimOutcome> outcomes;
  for (const FimCase& one : cases) {
    if (Interrupted()) return RuntimeError("interrupted");
    FimOutcome outcome;
    PINTLE_ASSIGN(outcome.text, Ask(model, one));
    const std::string_view wanted = Trim(one.middle), got = Trim(outcome.text);
    outcome.exact = wanted == got;
    outcome.similarity = EditSimilarity(wanted, got);
    outcomes.push_back(std::move(outcome));
    if (on_progress) on_progress(static_cast<int64_t>(outcomes.size()));
  }
  return outcomes;
}

}  // namespace pintle
