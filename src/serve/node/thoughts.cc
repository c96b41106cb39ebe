#include "serve/node/thoughts.h"

#include <algorithm>

namespace pintle {
namespace {

constexpr std::string_view kOpen = "<think>", kClose = "</think>", kSpace = " \t\r\n";

// The length of the longest end of `text` that is a beginning of `word`.
size_t OpenEnd(std::string_view text, std::string_view word) {
  for (size_t size = std::min(word.size() - 1, text.size()); size > 0; --size) {
    if (text.substr(text.size() - size) == word.substr(0, size)) return size;
  }
  return 0;
}

}  // namespace

void ThoughtSplitter::Push(std::string_view text, std::string& reasoning, std::string& content) {
  held_ += text;
  if (state_ == State::kBefore) {
    const size_t begin = std::min(held_.find_first_not_of(kSpace), held_.size());
    const std::string_view rest = std::string_view(held_).substr(begin);
    if (rest.size() < kOpen.size() && kOpen.starts_with(rest)) return;  // may still become one
    if (rest.starts_with(kOpen)) {
      held_.erase(0, begin + kOpen.size());
      if (held_.starts_with('\n')) held_.erase(0, 1);
      state_ = State::kInside;
    } else {
      state_ = State::kAfter;
    }
  }
  if (state_ == State::kInside) {
    const size_t end = held_.find(kClose);
    const size_t size = end != std::string::npos ? end : held_.size() - OpenEnd(held_, kClose);
    reasoning.append(held_, 0, size);
    held_.erase(0, end != std::string::npos ? end + kClose.size() : size);
    if (end == std::string::npos) return;
    state_ = State::kGap;
  }
  if (state_ == State::kGap) {
    held_.erase(0, std::min(held_.find_first_not_of(kSpace), held_.size()));
    if (held_.empty()) return;
    state_ = State::kAfter;
  }
  content += held_;
  held_.clear();
}

void ThoughtSplitter::Finish(std::string& reasoning, std::string& content) {
  (state_ == State::kInside ? reasoning : content) += held_;
  held_.clear();
}

}  // namespace pintle
