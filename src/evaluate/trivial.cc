#include "evaluate/trivial.h"

#include <set>
#include <vector>

#include "text/rust/lexer.h"
#include "text/rust/outline.h"

namespace pintle {
namespace {

Triviality FromBody(rust::BodyKind kind) {
  switch (kind) {
    case rust::BodyKind::kOrdinary:
      return Triviality::kNone;
    case rust::BodyKind::kEmpty:
      return Triviality::kEmpty;
    case rust::BodyKind::kDiverges:
      return Triviality::kDiverges;
    case rust::BodyKind::kConstant:
      return Triviality::kConstant;
    case rust::BodyKind::kIgnoresParameters:
      return Triviality::kIgnoresParameters;
  }
  return Triviality::kNone;
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (const std::string_view line = Trim(text.substr(begin, end - begin)); !line.empty()) lines.push_back(line);
    begin = end + 1;
  }
  return lines;
}

// Every line of the answer stands in the prompt already; lines of braces alone count for neither side.
bool CopiesLines(std::string_view prompt, std::string_view completion) {
  const std::vector<std::string_view> known = Lines(prompt);
  const std::set<std::string_view> lines(known.begin(), known.end());
  int64_t copied = 0;
  for (const std::string_view line : Lines(completion)) {
    if (line.find_first_not_of("{}()[];, ") == line.npos) continue;
    if (lines.count(line) == 0) return false;
    ++copied;
  }
  return copied > 0;
}

}  // namespace

const char* TrivialityName(Triviality triviality) {
  switch (triviality) {
    case Triviality::kNone:
      return "none";
    case Triviality::kEmpty:
      return "empty";
    case Triviality::kDiverges:
      return "diverges";
    case Triviality::kConstant:
      return "constant";
    case Triviality::kIgnoresParameters:
      return "ignores parameters";
    case Triviality::kRepeatsPrompt:
      return "repeats the prompt";
  }
  return "";
}

size_t OpenBrace(std::string_view prompt) {
  std::vector<rust::Token> tokens;
  rust::LexRust(prompt, tokens);
  std::vector<uint32_t> open;
  for (const rust::Token& token : tokens) {
    if (token.kind == rust::TokenKind::kOpenBrace) open.push_back(token.begin);
    if (token.kind == rust::TokenKind::kCloseBrace && !open.empty()) open.pop_back();
  }
  return open.empty() ? std::string_view::npos : open.back();
}

Triviality ClassifyCompletion(const Task& task, const std::string& completion) {
  if (task.mode == TaskMode::kCrate) {
    const rust::Outline outline = rust::OutlineRust(completion);
    Triviality first = Triviality::kEmpty;
    bool any = false;
    for (const rust::Function& function : outline.functions) {
      if (function.body.size() == 0) continue;
      const Triviality one = FromBody(rust::ClassifyBody(completion, function));
      if (one == Triviality::kNone) return Triviality::kNone;
      if (!any) first = one;
      any = true;
    }
    return first;
  }
  const size_t brace = OpenBrace(task.prompt);
  const std::string source = task.prompt + completion + (task.mode == TaskMode::kMain ? "\n}\n" : "");
  const rust::Outline outline = rust::OutlineRust(source);
  const rust::Function* asked = nullptr;
  for (const rust::Function& function : outline.functions) {
    if (function.body.size() > 0 && function.body.begin == brace) asked = &function;
  }
  if (asked == nullptr) return Triviality::kNone;
  if (const Triviality kind = FromBody(rust::ClassifyBody(source, *asked)); kind != Triviality::kNone) return kind;
  for (const rust::Function& function : outline.functions) {
    if (&function != asked && function.name == asked->name && function.signature.begin > asked->body.begin &&
        function.signature.begin < asked->body.end) {
      return Triviality::kRepeatsPrompt;
    }
  }
  return CopiesLines(task.prompt, completion) ? Triviality::kRepeatsPrompt : Triviality::kNone;
}

}  // namespace pintle
