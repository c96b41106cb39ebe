#include "evaluate/report.h"

#include <doctest/doctest.h>

#include "base/file.h"
#include "evaluate/plot.h"
#include "evaluate/report_parts.h"

namespace pintle {
namespace {

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_CASE("a curve keeps its spikes and leaves out what is no number") {
  Series series;
  for (int i = 0; i < 100000; ++i) series.points.push_back({static_cast<double>(i), i == 54321 ? 90.0 : 1.0});
  series.points.push_back({100000, __builtin_nan("")});
  const std::string svg = CurveSvg("loss", "nats", {series});
  CHECK(svg.size() < 60000);
  CHECK(svg.find("nan") == std::string::npos);
  // The spike is drawn at the top: y of 90 within the frame's first rows.
  CHECK(svg.find(" 42.7") != std::string::npos);
  CHECK(CurveSvg("loss", "nats", {}).find("no data") != std::string::npos);
  CHECK(CurveSvg("huge", "nats", {{"a", {{1, 1e308}, {2, -1e308}}, false}}).find("no data") != std::string::npos);
  const std::string far = CurveSvg("far", "nats", {{"a", {{9e14, 9e14}, {9e14 + 1, 9e14 + 0.125}}, false}});
  CHECK(Count(far, "<line") < 13);
  CHECK(CurveSvg("one", "nats", {{"a", {{5, 2}}, true}}).find("<circle") != std::string::npos);
}

TEST_CASE("text from outside is escaped in both faces") {
  ReportWriter page("a <b> & c");
  page.AddTable({{"x|y", "<script>"}, {"met", "NOT MET"}});
  page.CodeBlock("let a = \"```\";");
  CHECK(page.Html().find("<script>") == std::string::npos);
  CHECK(page.Html().find("a &lt;b&gt; &amp; c") != std::string::npos);
  CHECK(page.Html().find("<td class=\"bad\">NOT MET</td>") != std::string::npos);
  CHECK(page.Markdown().find("x\\|y") != std::string::npos);
  CHECK(page.Markdown().find("````rust") != std::string::npos);
  CHECK(BarsSvg("<t>", {{"<n>", 1, "<l>"}}).find("<n>") == std::string::npos);
}

TEST_CASE("a page from a work folder holds all in itself; what is missing is said") {
  const TemporaryFolder folder;
  CHECK(MakeReport(folder.path()).error().what.find("neither") != std::string::npos);
  CHECK(MakeFolder(folder.path() / "run").ok());
  CHECK(WriteFileAtomic(
            folder.path() / "run" / "run.jsonl",
            "{\"type\":\"start\",\"step\":0,\"preset\":\"m31r-1m\",\"dtype\":\"bf16\",\"optimizer\":\"adamw\"}\n"
            "{\"type\":\"step\",\"step\":1,\"loss\":8.3,\"tokens\":2048,\"tokens_per_s\":900}\n"
            "{\"type\":\"step\",\"step\":2,\"loss\":7.1,\"tokens\":4096,\"tokens_per_s\":910}\n"
            "{\"type\":\"validation\",\"step\":2,\"bits_per_byte\":3.3}\n"
            "{\"type\":\"stop\",\"step\":2,\"reason\":\"finished\"}\n")
            .ok());
  Result<Report> report = MakeReport(folder.path());
  REQUIRE_MESSAGE(report.ok(), report.error().Message());
  CHECK(report->markdown.find("Not evaluated yet") != std::string::npos);
  CHECK(report->markdown.find("8.300 and 7.100 nats") != std::string::npos);

  CHECK(MakeFolder(folder.path() / "eval").ok());
  CHECK(
      WriteFileAtomic(folder.path() / "eval" / "metrics.json",
                      R"({"model":{"name":"m31r-1m","parameters":1000000,"weights_sha256":"w0"},"problems":2,"seed":0,)"
                      R"("rustc":"rustc 1.85.0","sampling":{"samples":1,"temperature":0},"compile_rate":0.5,)"
                      R"("compile_interval":[0.1,0.9],"error_codes":{"E0308":3,"none":1},)"
                      R"("suites":[{"name":"s","problems":2,"compile_rate":0.5,"pass_at":{"1":0.5}}],)"
                      R"("bits_per_byte":{"files":1,"bytes":10,"model":1.9,"zstd_19":2.5,"xz_9":2.4,"five_gram":2.6}})")
          .ok());
  CHECK(WriteFileAtomic(
            folder.path() / "eval" / "results.jsonl",
            "{\"suite\":\"s\",\"id\":\"t\",\"completion\":\"    a < b\",\"trivial\":\"none\",\"stage\":\"pass\"}\n")
            .ok());
  report = MakeReport(folder.path());
  REQUIRE_MESSAGE(report.ok(), report.error().Message());
  for (const char* part : {"E0308", "rustc 1.85.0", "NOT MET", "a &lt; b", "syntax, no code", "w0", "<svg"}) {
    CAPTURE(part);
    CHECK(report->html.find(part) != std::string::npos);
  }
  CHECK(Count(report->html, "<svg") == Count(report->html, "</svg>"));
  CHECK(report->html.find("http") == std::string::npos);
  CHECK(report->html.find("<script") == std::string::npos);
  CHECK(MakeReport(folder.path() / "run")->html == report->html);
  CHECK(MakeReport(folder.path() / "eval").ok());
  REQUIRE(WriteReport(*report, folder.path() / "pages").ok());
  CHECK(*ReadFile(folder.path() / "pages" / "report.md") == report->markdown);
}

}  // namespace
}  // namespace pintle
