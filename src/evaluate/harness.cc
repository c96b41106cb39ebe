#include "evaluate/harness.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <map>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/thread_pool.h"
#include "evaluate/build_cache.h"
#include "text/rust/outline.h"

namespace pintle {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

// What a candidate becomes: the files of its build folder.
struct Program {
  std::string source;  // main.rs, or lib.rs of mode crate
  std::string tests;   // mode crate: the second crate
  std::string marker;  // printed at the very end; a program that exits early does not reach it
  std::string key;
};

// A program says itself that it came to its end, by a marker that is a hash of it: no program can contain its own. In
// mode main it is main's last line, in the others the last test in the order of names.
std::string AddMarker(const std::string& tests, const std::string& marker) {
  size_t end = tests.rfind('}');
  const size_t brace = tests.find('{', std::min(tests.find("fn main("), tests.size()));
  if (brace != std::string::npos) {
    const auto close = rust::ClosingBrace(tests, static_cast<uint32_t>(brace));
    if (close.has_value()) end = *close - 1;
  }
  if (end == std::string::npos) return tests;
  return tests.substr(0, end) + "    println!(\"" + marker + "\");\n" + tests.substr(end);
}

Program MakeProgram(const Candidate& candidate, const std::string& version) {
  const Task& task = *candidate.task;
  Program program;
  if (task.mode == TaskMode::kCrate) {
    program.source = candidate.completion;
    program.tests = task.tests;
  } else {
    program.source = task.prompt + candidate.completion + "\n" + task.tests;
  }
  // A change of what a verdict means needs a new first word.
  std::string identity = "verdict-2 " + version;
  const auto add = [&identity](std::string_view part) { identity += '\n' + Sha256Hex(part); };
  add(program.source);
  add(program.tests);
  add(task.crate);
  add(task.edition);
  add(std::to_string(static_cast<int>(task.mode)));
  for (const auto& [name, text] : task.files) {
    add(name);
    add(text);
  }
  program.key = Sha256Hex(identity);
  const std::string id = program.key.substr(0, 16);
  if (task.mode == TaskMode::kMain) {
    program.marker = "passed " + id;
    program.source = task.prompt + candidate.completion + "\n" + AddMarker(task.tests, program.marker);
  } else {
    const std::string name = "zz_passed_" + id;
    program.marker = "test " + name + " ... ok";
    std::string& tests = task.mode == TaskMode::kCrate ? program.tests : program.source;
    tests += "\n#[test]\nfn " + name + "() {}\n";
  }
  return program;
}

Status GiveTo(const fs::path& path, unsigned user) {
  if (::geteuid() == 0 && ::chown(path.c_str(), user, user) != 0) {
    return RuntimeError("cannot give the folder to the sandbox's user", path.string());
  }
  return {};
}

}  // namespace

const char* StageName(Stage stage) {
  switch (stage) {
    case Stage::kCompile:
      return "compile";
    case Stage::kLink:
      return "link";
    case Stage::kTests:
      return "tests";
    case Stage::kRun:
      return "run";
    case Stage::kPass:
      return "pass";
  }
  return "";
}

void ReadDiagnostics(std::string_view text, Verdict& verdict) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.empty() || line.front() != '{') continue;
    const Result<json::value> value = ParseJson(line, "rustc");
    if (!value.ok()) continue;
    const Result<std::string> level = JsonString(*value, "level", "rustc");
    const Result<std::string> message = JsonString(*value, "message", "rustc");
    if (!level.ok() || !message.ok() || level->compare(0, 5, "error") != 0) continue;
    std::string code = "none";
    if (const json::value* object = value->as_object().if_contains("code"); object != nullptr && object->is_object()) {
      if (const Result<std::string> name = JsonString(*object, "code", "rustc"); name.ok()) code = *name;
    }
    // The closing summary repeats what was said.
    if (message->compare(0, 9, "aborting ") == 0 && !verdict.codes.empty()) continue;
    if (verdict.message.empty()) verdict.message = message->substr(0, std::min<size_t>(message->find('\n'), 200));
    if (std::find(verdict.codes.begin(), verdict.codes.end(), code) == verdict.codes.end())
      verdict.codes.push_back(code);
  }
}

HarnessOptions::HarnessOptions() {
  compile_limits.cpu_seconds = 20;
  compile_limits.wall_seconds = 60;
  compile_limits.address_space = uint64_t{6} << 30;
  compile_limits.file_size = uint64_t{256} << 20;
  compile_limits.processes = 512;
  compile_limits.open_files = 512;
  compile_limits.output_bytes = 256 << 10;
}

struct Harness::State {
  HarnessOptions options;
  Rustc rustc;
  std::optional<Sandbox> sandbox;
  TemporaryFolder folder;
  BuildCache cache;

  [[nodiscard]] Result<SandboxResult> Compile(const fs::path& build, std::vector<std::string> arguments) const {
    SandboxCommand command;
    command.argv = {rustc.binary.string(), "--sysroot=" + rustc.sysroot.string(),
                    "--error-format=json", "-Awarnings",
                    "-Cdebuginfo=0",       "-Ccodegen-units=1"};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.environment = {"PATH=/usr/bin:/bin", "LANG=C", "HOME=" + build.string(), "TMPDIR=" + build.string()};
    command.work_folder = build;
    command.read_paths = rustc.ReadPaths();
    command.profile = SeccompProfile::kCompiler;
    command.limits = options.compile_limits;
    command.keep_user = !rustc.readable_by_all;
    return sandbox->Run(command);
  }

  [[nodiscard]] Result<SandboxResult> Execute(const fs::path& program, const fs::path& run, bool tests) const {
    SandboxCommand command;
    command.argv = {program.string()};
    if (tests) command.argv.insert(command.argv.end(), {"--include-ignored", "--test-threads=1"});
    command.environment = {"PATH=/usr/bin:/bin", "LANG=C", "HOME=" + run.string(), "TMPDIR=" + run.string(),
                           "RUST_BACKTRACE=0"};
    command.work_folder = run;
    command.read_paths = {program, "/usr/lib", "/lib", "/lib64"};
    command.limits = options.run_limits;
    return sandbox->Run(command);
  }

  [[nodiscard]] Status Judge(const Task& task, const Program& program, const fs::path& folder_of_job,
                             Verdict& verdict) const;
  [[nodiscard]] Result<Verdict> JudgeInFolder(const Task& task, const Program& program, int64_t number) const {
    const fs::path job = folder.path() / std::to_string(number);
    Verdict verdict;
    const Status status = Judge(task, program, job, verdict);
    PINTLE_RETURN_IF_ERROR(RemoveAll(job));
    PINTLE_RETURN_IF_ERROR(status);
    return verdict;
  }
};

Status Harness::State::Judge(const Task& task, const Program& program, const fs::path& job, Verdict& verdict) const {
  const fs::path build = job / "build", run = job / "run";
  PINTLE_RETURN_IF_ERROR(MakeFolder(build));
  PINTLE_RETURN_IF_ERROR(MakeFolder(run));
  // Whatever the caller's umask: the sandbox's user passes through and reads.
  std::error_code ignored;
  for (const fs::path& path : {job, build, run}) fs::permissions(path, fs::perms(0755), ignored);
  const bool crate = task.mode == TaskMode::kCrate;
  const auto write = [&build, &ignored](const std::string& name, const std::string& text) -> Status {
    PINTLE_RETURN_IF_ERROR(MakeFolder((build / name).parent_path()));
    PINTLE_ASSIGN(File file, File::Create(build / name));
    PINTLE_RETURN_IF_ERROR(file.Write(text));
    fs::permissions(build / name, fs::perms(0644), ignored);
    return file.Close();
  };
  for (const auto& [name, text] : task.files) PINTLE_RETURN_IF_ERROR(write(name, text));
  const std::string main = crate ? "lib.rs" : "main.rs";
  PINTLE_RETURN_IF_ERROR(write(main, program.source));
  if (crate) PINTLE_RETURN_IF_ERROR(write("tests.rs", program.tests));
  if (rustc.readable_by_all) PINTLE_RETURN_IF_ERROR(GiveTo(build, sandbox->user()));
  PINTLE_RETURN_IF_ERROR(GiveTo(run, sandbox->user()));

  // Metadata is written when the types are right, the program when it is built: one call answers both questions.
  const std::string name = crate ? task.crate : "candidate";
  std::vector<std::string> arguments = {
      main, "--edition=" + task.edition, "--crate-name=" + name,
      "--emit=metadata=checked.rmeta,link=" + std::string(crate ? "lib" + name + ".rlib" : "program")};
  if (crate) arguments.emplace_back("--crate-type=lib");
  if (task.mode == TaskMode::kTest) arguments.emplace_back("--test");
  PINTLE_ASSIGN(const SandboxResult built, Compile(build, arguments));
  std::error_code missing;
  if (!built.Succeeded()) {
    verdict.stage = fs::exists(build / "checked.rmeta", missing) ? Stage::kLink : Stage::kCompile;
    verdict.timed_out = built.timed_out;
    ReadDiagnostics(built.err, verdict);
    return {};
  }
  if (crate) {
    PINTLE_ASSIGN(const SandboxResult tests,
                  Compile(build, {"tests.rs", "--edition=" + task.edition, "--test", "--crate-name=tests",
                                  "--extern=" + name + "=lib" + name + ".rlib", "--emit=link=program"}));
    if (!tests.Succeeded()) {
      verdict.stage = Stage::kTests;
      verdict.timed_out = tests.timed_out;
      ReadDiagnostics(tests.err, verdict);
      return {};
    }
  }
  PINTLE_ASSIGN(const SandboxResult ran, Execute(build / "program", run, task.mode != TaskMode::kMain));
  const size_t end = ran.out.find(program.marker);
  const bool passed = ran.Succeeded() && end != std::string::npos &&
                      (task.mode == TaskMode::kMain || ran.out.find("test result: ok.", end) != std::string::npos);
  verdict.stage = passed ? Stage::kPass : Stage::kRun;
  verdict.timed_out = ran.timed_out;
  return {};
}

Harness::Harness(std::unique_ptr<State> state) : state_(std::move(state)) {}
Harness::Harness(Harness&&) noexcept = default;
Harness& Harness::operator=(Harness&&) noexcept = default;
Harness::~Harness() = default;

const Rustc& Harness::rustc() const { return state_->rustc; }
const Sandbox& Harness::sandbox() const { return *state_->sandbox; }
Status Harness::SaveCache() const {
  return state_->options.cache_file.empty() ? Status() : SaveBuildCache(state_->options.cache_file, state_->cache);
}

Result<Harness> Harness::Create(const HarnessOptions& options) {
  auto state = std::make_unique<State>();
  state->options = options;
  PINTLE_ASSIGN(state->rustc, FindRustc());
  PINTLE_ASSIGN(state->sandbox, Sandbox::Detect(options.unsafe));
  // The sandbox's user must be able to pass through to the folders of its jobs.
  std::error_code ignored;
  fs::permissions(state->folder.path(), fs::perms(0711), ignored);
  if (!options.cache_file.empty()) state->cache = LoadBuildCache(options.cache_file);

  Task probe;
  probe.id = "probe";
  probe.prompt = "fn two() -> u32 {\n";
  probe.tests = "}\n\nfn main() {\n    assert_eq!(two(), 2);\n}\n";
  const Program program = MakeProgram({&probe, "    1 + 1"}, state->rustc.version);
  PINTLE_ASSIGN(const Verdict verdict, state->JudgeInFolder(probe, program, 0));
  if (!verdict.Passes()) {
    return RuntimeError("the Rust compiler cannot build and run a small program in the sandbox (" +
                            std::string(StageName(verdict.stage)) +
                            (verdict.message.empty() ? "" : ": " + verdict.message) + ")",
                        state->rustc.binary.string(), "rustc needs a C compiler as its linker: apt-get install gcc");
  }
  return Harness(std::move(state));
}

Result<std::vector<Verdict>> Harness::Check(const std::vector<Candidate>& candidates,
                                            const std::function<void(int64_t)>& on_progress) {
  State& state = *state_;
  std::vector<Program> programs;
  std::map<std::string, size_t> first;  // key -> the candidate that is built for it
  for (const Candidate& candidate : candidates) {
    programs.push_back(MakeProgram(candidate, state.rustc.version));
    if (state.cache.count(programs.back().key) == 0) first.emplace(programs.back().key, programs.size() - 1);
  }
  std::vector<size_t> jobs;
  jobs.reserve(first.size());
  for (const auto& [key, index] : first) jobs.push_back(index);
  std::sort(jobs.begin(), jobs.end());

  std::vector<Verdict> fresh(jobs.size());
  std::vector<std::optional<Error>> errors(jobs.size());
  ThreadPool pool(state.options.workers);
  // In rounds, so that an interrupt and the progress are looked at between them.
  const auto round = static_cast<size_t>(pool.threads()) * 4;
  for (size_t begin = 0; begin < jobs.size(); begin += round) {
    if (Interrupted()) return RuntimeError("interrupted");
    const size_t end = std::min(begin + round, jobs.size());
    pool.ParallelFor(static_cast<int64_t>(end - begin), [&](int64_t i) {
      const size_t job = begin + static_cast<size_t>(i);
      Result<Verdict> verdict =
          state.JudgeInFolder(*candidates[jobs[job]].task, programs[jobs[job]], static_cast<int64_t>(job));
      if (verdict.ok()) {
        fresh[job] = *std::move(verdict);
      } else {
        errors[job] = verdict.error();
      }
    });
    for (size_t job = begin; job < end; ++job) {
      if (errors[job].has_value()) return *errors[job];
    }
    if (on_progress) on_progress(static_cast<int64_t>(end));
  }
  std::map<std::string, Verdict> by_key;
  for (size_t job = 0; job < jobs.size(); ++job) {
    const std::string& key = programs[jobs[job]].key;
    if (!fresh[job].timed_out) state.cache[key] = fresh[job];
    by_key[key] = std::move(fresh[job]);
  }
  std::vector<Verdict> verdicts;
  for (const Program& program : programs) {
    const auto found = by_key.find(program.key);
    verdicts.push_back(found != by_key.end() ? found->second : state.cache.at(program.key));
  }
  return verdicts;
}

}  // namespace pintle
