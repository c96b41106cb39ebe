// The head of an answer as bytes. Field values that came from elsewhere cannot break out of their line.
#pragma once

#include <string>
#include <string_view>

namespace pintle {

/// Status line, then fields in the order of Add.
class ResponseHeadWriter {
 public:
  explicit ResponseHeadWriter(int status);
  /// A field with characters that do not belong into a header is left out.
  void Add(std::string_view name, std::string_view value);
  /// The date field; formatted once a second. One thread.
  void AddDate();
  std::string Finish() &&;

 private:
  std::string bytes_;
};

/// 1 to 128 letters, digits, '-', '_', '.' or ':': safe in headers, logs and file names.
bool IsSaneRequestId(std::string_view id);

}  // namespace pintle
