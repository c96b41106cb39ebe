#include "evaluate/soundness.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/hash.h"
#include "base/rng.h"
#include "text/rust/lexer.h"

namespace pintle {
namespace {

using rust::TokenKind;

// What a token turns into; empty = it stays.
std::string Changed(const rust::Token& token, std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kSwaps = {{{"+", "-"},
                                                                                            {"-", "+"},
                                                                                            {"*", "+"},
                                                                                            {"/", "*"},
                                                                                            {"%", "/"},
                                                                                            {"==", "!="},
                                                                                            {"!=", "=="},
                                                                                            {"<=", ">"},
                                                                                            {">=", "<"},
                                                                                            {"&&", "||"},
                                                                                            {"||", "&&"},
                                                                                            {"+=", "-="},
                                                                                            {"-=", "+="},
                                                                                            {"*=", "+="},
                                                                                            {"true", "false"},
                                                                                            {"false", "true"},
                                                                                            {"..=", ".."}}};
  if (token.kind == TokenKind::kInteger && text.size() < 10 &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return std::to_string(std::stoll(std::string(text)) + 1);
  }
  if (token.kind == TokenKind::kString && text.size() > 2) return "\"\"";
  if (token.kind > TokenKind::kCloseBrace || token.kind == TokenKind::kIdentifier) {
    for (const auto& [from, to] : kSwaps) {
      if (text == from) return std::string(to);
    }
  }
  return {};
}

// Empty answers that must not pass, for each mode.
std::vector<std::string> Blanks(const Task& task) {
  if (task.mode == TaskMode::kCrate) {
    std::vector<std::string> blanks = {"", "fn main() {}\n"};
    if (task.prompt.find("todo!(") != std::string::npos) blanks.push_back(task.prompt);
    return blanks;
  }
  // In mode main the tests bring the closing brace.
  const std::string end = task.mode == TaskMode::kTest ? "}\n" : "";
  return {end, "    fn main() {}\n" + end, "    todo!()\n" + end};
}

Task Builtin(const std::string& id, const std::string& main_body) {
  Task task;
  task.id = id;
  task.prompt = "fn answer() {\n";
  task.tests = "}\n\nfn main() {\n" + main_body + "}\n";
  return task;
}

Task BuiltinTest(const std::string& id) {
  Task task;
  task.id = id;
  task.mode = TaskMode::kTest;
  task.prompt = "fn answer() -> i32 {\n";
  task.tests = "}\n\n#[test]\nfn right() {\n    assert_eq!(answer(), 2);\n}\n";
  return task;
}

}  // namespace

std::vector<std::string> Mutate(const std::string& completion, uint64_t seed, int count) {
  std::vector<rust::Token> tokens;
  rust::LexRust(completion, tokens);
  std::vector<std::pair<rust::Token, std::string>> places;
  // A reference may carry tests of its own at its end: no program is built with them, so no change there can fail.
  const size_t end = std::min(completion.find("#[cfg(test)]"), completion.size());
  for (const rust::Token& token : tokens) {
    if (token.begin >= end) break;
    if (std::string to = Changed(token, token.Text(completion)); !to.empty()) places.emplace_back(token, std::move(to));
  }
  RandomStream random(seed, Purpose::kEval, Fnv1a(completion));
  std::vector<std::string> mutants;
  while (!places.empty() && static_cast<int>(mutants.size()) < count) {
    const uint32_t chosen = random.NextBelow(static_cast<uint32_t>(places.size()));
    const auto& [token, to] = places[chosen];
    mutants.push_back(completion.substr(0, token.begin) + to + completion.substr(token.end));
    places.erase(places.begin() + chosen);
  }
  return mutants;
}

Result<SelfTestReport> RunSelfTest(Harness& harness, const TaskSet& set, uint64_t seed, int mutants_per_task,
                                   const std::function<void(int64_t)>& on_progress) {
  enum class Kind { kReference, kBlank, kMutant };
  std::vector<Candidate> candidates;
  std::vector<Kind> kinds;
  const auto add = [&](Kind kind, const Task& task, std::string completion) {
    candidates.push_back({&task, std::move(completion)});
    kinds.push_back(kind);
  };
  SelfTestReport report;
  report.tasks = static_cast<int64_t>(set.tasks.size());
  for (const Task& task : set.tasks) {
    for (std::string& blank : Blanks(task)) add(Kind::kBlank, task, std::move(blank));
    if (task.canonical.empty()) continue;
    add(Kind::kReference, task, task.canonical);
    for (std::string& mutant : Mutate(task.canonical, seed, mutants_per_task))
      add(Kind::kMutant, task, std::move(mutant));
  }
  PINTLE_ASSIGN(const std::vector<Verdict> verdicts, harness.Check(candidates, on_progress));
  size_t i = 0;
  for (const Task& task : set.tasks) {
    int64_t mutants = 0, refused = 0;
    for (; i < candidates.size() && candidates[i].task == &task; ++i) {
      const bool passes = verdicts[i].Passes();
      if (kinds[i] == Kind::kReference) {
        ++report.references;
        report.references_passed += passes ? 1 : 0;
        if (!passes) {
          report.findings.push_back(task.id + ": the reference solution fails (" + StageName(verdicts[i].stage) +
                                    (verdicts[i].message.empty() ? "" : ": " + verdicts[i].message) + ")");
        }
      } else if (kinds[i] == Kind::kBlank) {
        ++report.blanks;
        report.blanks_refused += passes ? 0 : 1;
        if (passes) report.findings.push_back(task.id + ": an empty answer passes");
      } else {
        ++mutants;
        refused += passes ? 0 : 1;
      }
    }
    if (mutants > 0 && refused == 0) report.findings.push_back(task.id + ": no mutant fails");
    report.mutants += mutants;
    report.mutants_refused += refused;
  }
  return report;
}

Result<std::vector<std::string>> RunBuiltinSelfTest(Harness& harness) {
  struct Case {
    Task task;
    std::string completion;
    Stage expected;
  };
  const std::vector<Case> cases = {
      {Builtin("a good program", "    answer();\n"), "", Stage::kPass},
      {Builtin("a type error", "    answer();\n"), "    let x: u32 = \"\";\n", Stage::kCompile},
      {Builtin("a borrow error", "    answer();\n"),
       "    let mut v = vec![1];\n    let first = &v[0];\n    v.push(2);\n    println!(\"{first}\");\n",
       Stage::kCompile},
      {Builtin("a failing assertion", "    answer();\n    assert!(1 > 2);\n"), "", Stage::kRun},
      {Builtin("an early exit", "    answer();\n    assert!(1 > 2);\n"), "    std::process::exit(0);\n", Stage::kRun},
      {BuiltinTest("a good test"), "    1 + 1\n", Stage::kPass},
      {BuiltinTest("an early exit with a report of its own"),
       "    std::io::Write::write_all(&mut std::io::stdout(), b\"test result: ok. 1 passed\").unwrap();\n"
       "    std::process::exit(0);\n",
       Stage::kRun},
      {Builtin("a connection", "    answer();\n"), "    std::net::TcpListener::bind(\"127.0.0.1:0\").unwrap();\n",
       Stage::kRun},
      {Builtin("a look at passwords", "    answer();\n"), "    std::fs::read(\"/etc/passwd\").unwrap();\n",
       Stage::kRun},
      {Builtin("a file of this machine at compile time", "    answer();\n"),
       "    let _ = include_bytes!(\"/etc/passwd\");\n", Stage::kCompile},
      {Builtin("another program", "    answer();\n"),
       "    std::process::Command::new(\"/bin/true\").status().unwrap();\n", Stage::kRun},
      {Builtin("too much memory", "    answer();\n"), "    let v = vec![1u8; 8 << 30];\n    println!(\"{}\", v[9]);\n",
       Stage::kRun},
      {Builtin("a write outside", "    answer();\n"), "    std::fs::write(\"/tmp/x\", \"x\").unwrap();\n", Stage::kRun},
      {Builtin("threads", "    answer();\n"), "    std::thread::spawn(|| 1).join().unwrap();\n", Stage::kPass},
  };
  std::vector<Candidate> candidates;
  candidates.reserve(cases.size());
  for (const Case& one : cases) candidates.push_back({&one.task, one.completion});
  PINTLE_ASSIGN(const std::vector<Verdict> verdicts, harness.Check(candidates));
  std::vector<std::string> findings;
  for (size_t i = 0; i < cases.size(); ++i) {
    if (verdicts[i].stage == cases[i].expected) continue;
    findings.push_back(cases[i].task.id + ": " + StageName(verdicts[i].stage) + " instead of " +
                       StageName(cases[i].expected) +
                       (verdicts[i].message.empty() ? "" : " (" + verdicts[i].message + ")"));
  }
  return findings;
}

}  // namespace pintle
