// The two faces of the report: the same tables and pictures as HTML and as Markdown. What is in them is report.cc's
// business.
#pragma once

#include <string>
#include <vector>

namespace pintle {

/// Rows of text; the first is the head. Cells are plain text, escaped here.
using Table = std::vector<std::vector<std::string>>;

/// Writes the parts of the page in both forms at once.
class ReportWriter {
 public:
  explicit ReportWriter(std::string title);
  void Heading(const std::string& text);
  void Paragraph(const std::string& text);
  /// Verdict words ("met", "NOT MET") get their colours in HTML.
  void AddTable(const Table& table);
  /// SVG in HTML; Markdown has `alternative` in its place (empty = nothing).
  void Picture(const std::string& svg, const std::string& alternative);
  /// A block of code, kept as it is.
  void CodeBlock(const std::string& text);
  [[nodiscard]] std::string Html() const;
  [[nodiscard]] std::string Markdown() const { return markdown_; }

 private:
  std::string title_, body_, markdown_;
};

}  // namespace pintle
