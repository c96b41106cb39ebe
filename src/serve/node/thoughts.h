// Parts an answer into thoughts and content while it streams: what a thinking model writes between <think> and </think>
// at the very beginning is its reasoning, the rest is the answer.
#pragma once

#include <string>
#include <string_view>

namespace pintle {

/// One answer; one thread.
class ThoughtSplitter {
 public:
  /// `thinks`: the model may begin with thoughts; otherwise everything is content. `inside`: its prompt opened
  /// them.
  explicit ThoughtSplitter(bool thinks, bool inside = false)
      : state_(inside   ? State::kInside
               : thinks ? State::kBefore
                        : State::kAfter) {}

  /// Adds what became certain with this text to the two ends.
  void Push(std::string_view text, std::string& reasoning, std::string& content);
  /// At the end of the answer: what was held back.
  void Finish(std::string& reasoning, std::string& content);

 private:
  enum class State { kBefore, kInside, kGap, kAfter };
  State state_;
  std::string held_;
};

}  // namespace pintle
