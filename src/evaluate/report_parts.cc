#include "evaluate/report_parts.h"

#include <algorithm>

#include "evaluate/plot.h"

namespace pintle {
namespace {

// The page's whole style. Colours are variables with a light and a dark value; pictures use them too.
constexpr char kStyle[] = R"css(
:root{--bg:#fff;--fg:#1c1f24;--soft:#5b6470;--line:#e1e5ea;--head:#f4f6f8;--a:#1f6feb;--b:#d1691e;--c:#2da44e;--good:#1a7f37;--bad:#b42318}
@media(prefers-color-scheme:dark){:root{--bg:#15181d;--fg:#e4e7eb;--soft:#9aa4b0;--line:#2c323a;--head:#1d2228;--a:#58a6ff;--b:#e8935a;--c:#4fc26b;--good:#4fc26b;--bad:#ff7b72}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:46rem;padding:2rem 1rem 4rem;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;margin:0 0 .5rem}
h2{font-size:1.15rem;margin:2.2rem 0 .6rem;border-bottom:1px solid var(--line);padding-bottom:.3rem}
p{margin:.4rem 0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem;margin:.5rem 0}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word}
th{background:var(--head);font-weight:600}
td.good,td.bad{font-weight:600;white-space:nowrap}
td.good{color:var(--good)}
td.bad{color:var(--bad)}
pre{background:var(--head);border:1px solid var(--line);border-radius:6px;padding:.7rem;overflow-x:auto;font-size:.85rem}
svg{width:100%;height:auto;display:block;margin:.8rem 0}
svg .title{font:600 14px system-ui,sans-serif;fill:var(--fg)}
svg .tick{font:12px system-ui,sans-serif;fill:var(--soft)}
svg .grid{stroke:var(--line);stroke-width:1}
svg path{fill:none;stroke-width:1.6;stroke-linejoin:round}
svg .s0{stroke:var(--a)}svg .s1{stroke:var(--b)}svg .s2{stroke:var(--c)}
svg .d0{fill:var(--a)}svg .d1{fill:var(--b)}svg .d2{fill:var(--c)}
)css";

std::string MarkdownCell(std::string text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '|' || text[i] == '\\') text.insert(i++, 1, '\\');
    if (text[i] == '\n') text[i] = ' ';
  }
  return text;
}

}  // namespace

ReportWriter::ReportWriter(std::string title) : title_(std::move(title)) {
  body_ = "<h1>" + EscapeHtml(title_) + "</h1>\n";
  markdown_ = "# " + title_ + "\n";
}

void ReportWriter::Heading(const std::string& text) {
  body_ += "<h2>" + EscapeHtml(text) + "</h2>\n";
  markdown_ += "\n## " + text + "\n";
}

void ReportWriter::Paragraph(const std::string& text) {
  body_ += "<p>" + EscapeHtml(text) + "</p>\n";
  markdown_ += "\n" + text + "\n";
}

void ReportWriter::AddTable(const Table& table) {
  if (table.empty()) return;
  body_ += "<div class=\"scroll\"><table>\n";
  markdown_ += "\n";
  for (size_t row = 0; row < table.size(); ++row) {
    const std::string tag = row == 0 ? "th" : "td";
    body_ += "<tr>";
    markdown_ += "|";
    for (const std::string& cell : table[row]) {
      const std::string style = cell == "met" ? " class=\"good\"" : cell == "NOT MET" ? " class=\"bad\"" : "";
      body_ += "<" + tag + (row == 0 ? "" : style) + ">" + EscapeHtml(cell) + "</" + tag + ">";
      markdown_ += " " + MarkdownCell(cell) + " |";
    }
    body_ += "</tr>\n";
    markdown_ += "\n";
    if (row > 0) continue;
    markdown_ += "|";
    for (size_t i = 0; i < table[0].size(); ++i) markdown_ += " --- |";
    markdown_ += "\n";
  }
  body_ += "</table></div>\n";
}

void ReportWriter::Picture(const std::string& svg, const std::string& alternative) {
  body_ += svg;
  if (!alternative.empty()) markdown_ += "\n" + alternative + "\n";
}

void ReportWriter::CodeBlock(const std::string& text) {
  body_ += "<pre>" + EscapeHtml(text) + "</pre>\n";
  // A fence longer than any run of backquotes inside.
  size_t longest = 2, run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  markdown_ += "\n" + fence + "rust\n" + text + (text.empty() || text.back() != '\n' ? "\n" : "") + fence + "\n";
}

std::string ReportWriter::Html() const {
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
         EscapeHtml(title_) + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n" + body_ +
         "</body>\n</html>\n";
}

}  // namespace pintle
