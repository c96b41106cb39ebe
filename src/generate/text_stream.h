// Token bytes in, whole UTF-8 characters out, ended before the first stop text. Holds back what may still turn out to
// be the beginning of a character or of a stop text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pintle {

/// One answer; one thread.
class TextStream {
 public:
  explicit TextStream(std::vector<std::string> stop) : stop_(std::move(stop)) {}

  /// The text that became certain with these bytes; may be empty. Bytes that are no UTF-8 become U+FFFD, one for each
  /// maximal damaged part. After a stop text was found nothing more comes out.
  std::string Push(std::string_view bytes);
  /// At the end of the answer: what was held back for a stop text. An unfinished character is dropped.
  std::string Finish();
  /// A stop text was found; it and what follows is in no output.
  [[nodiscard]] bool stopped() const { return stopped_; }

 private:
  std::vector<std::string> stop_;
  std::string bytes_;  // an unfinished character
  std::string held_;   // whole characters that may begin a stop text
  bool stopped_ = false;
};

/// Moves the whole characters at the beginning of `bytes` to the end of `text`, damaged parts as U+FFFD; what is left
/// in `bytes` is the beginning of one character (at most 3 bytes).
void TakeWholeUtf8(std::string& bytes, std::string& text);

}  // namespace pintle
