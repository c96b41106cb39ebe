#include "evaluate/sandbox.h"

#include <doctest/doctest.h>
#include <seccomp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "base/time.h"

namespace pintle {
namespace {
namespace fs = std::filesystem;

// One sandbox, and a work folder that its user may write to.
struct Fixture {
  Fixture() : sandbox(Sandbox::Detect(false)) {
    fs::permissions(folder.path(), fs::perms(0755));
    work = folder.path() / "work";
    fs::create_directory(work);
    fs::copy_file(PINTLE_SANDBOX_HOSTILE, folder.path() / "hostile");
    if (::geteuid() == 0) CHECK(::chown(work.c_str(), 65534, 65534) == 0);
  }
  SandboxResult Run(const std::string& action, const std::string& argument = {}, SandboxCommand command = {}) {
    command.argv = {(folder.path() / "hostile").string(), action, argument};
    command.work_folder = work;
    command.read_paths = {"/usr/lib", "/lib", "/lib64", folder.path() / "hostile"};
    Result<SandboxResult> result = sandbox->Run(command);
    REQUIRE_MESSAGE(result.ok(), result.error().Message());
    return *result;
  }
  TemporaryFolder folder;
  fs::path work;
  Result<Sandbox> sandbox;
};

TEST_CASE_FIXTURE(Fixture, "the level names the layers") {
  REQUIRE(sandbox.ok());
  CHECK(sandbox->level().find("seccomp") != std::string::npos);
  CHECK(sandbox->level().find("landlock") != std::string::npos);
  MESSAGE(sandbox->level());
}

// In a child whose kernel seems to have no Landlock.
TEST_CASE("without Landlock nothing is run, unless one asks for it") {
  const pid_t child = ::fork();
  if (child == 0) {
    const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    constexpr int kLandlockCreateRuleset = 444;
    if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), kLandlockCreateRuleset, 0) != 0) ::_exit(2);
    if (seccomp_load(filter) != 0) ::_exit(3);
    const Result<Sandbox> refused = Sandbox::Detect(false);
    if (refused.ok() || refused.error().what.find("Landlock") == std::string::npos) ::_exit(4);
    const Result<Sandbox> asked = Sandbox::Detect(true);
    if (!asked.ok() || asked->level().find("landlock") != std::string::npos) ::_exit(5);
    ::_exit(asked->level().ends_with(" (unsafe)") ? 0 : 6);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE_FIXTURE(Fixture, "a program reaches neither networks nor other processes") {
  for (const char* action : {"socket", "fork", "ptrace", "untie", "mount", "exec", "descriptors"}) {
    CAPTURE(action);
    CHECK(Run(action).exit_code == 1);
  }
  CHECK(Run("kill", std::to_string(::getpid())).exit_code == 1);
  if (::geteuid() == 0) {
    CHECK(Run("setuid").exit_code == 1);
    CHECK(Run("identity").out == "65534 65534");
  }
}

TEST_CASE_FIXTURE(Fixture, "a program reads and writes only where it may") {
  CHECK(WriteFileAtomic(folder.path() / "outside", "x").ok());
  fs::permissions(folder.path() / "outside", fs::perms(0666));
  CHECK(Run("read", "/etc/shadow").exit_code == 1);
  CHECK(Run("read", "/etc/passwd").exit_code == 1);
  CHECK(Run("read", "/proc/self/environ").exit_code == 1);
  CHECK(Run("read", (folder.path() / "outside").string()).exit_code == 1);
  CHECK(Run("write", (folder.path() / "outside").string()).exit_code == 1);
  CHECK(Run("remove", (folder.path() / "outside").string()).exit_code == 1);
  if (const char* home = std::getenv("HOME")) CHECK(Run("read", home).exit_code == 1);
  CHECK(Run("write", "/tmp/pintle-sandbox-escape").exit_code == 1);
  CHECK(Run("write", "inside").exit_code == 0);
  CHECK(fs::exists(work / "inside"));
  CHECK(Run("file", "large").exit_code == 1);
  CHECK(fs::file_size(work / "large") == uint64_t{16} << 20);
}

TEST_CASE_FIXTURE(Fixture, "limits hold") {
  CHECK(Run("memory").exit_code == 1);
  // Before the fork bomb, whose dead count as the user's processes until somebody has reaped them.
  const SandboxResult threads = Run("threads");
  CHECK(threads.exit_code == 1);
  CHECK(std::atoi(threads.out.c_str()) <= 64);
  CHECK(Run("forkbomb").exit_code == 1);
  SandboxCommand spawning;
  spawning.profile = SeccompProfile::kCompiler;
  spawning.limits.wall_seconds = 5;
  const SandboxResult bomb = Run("forkbomb", {}, spawning);
  CHECK(bomb.exit_code == 1);
  CHECK(bomb.out.size() <= 64);
}

TEST_CASE_FIXTURE(Fixture, "time and output end") {
  SandboxCommand command;
  command.limits.cpu_seconds = 1;
  command.limits.wall_seconds = 20;
  const SandboxResult loop = Run("loop", {}, command);
  CHECK(loop.timed_out);
  CHECK(loop.signal == SIGXCPU);
  command.limits.wall_seconds = 1;
  const double start = MonotonicSeconds();
  CHECK(Run("sleep", {}, command).timed_out);
  CHECK(MonotonicSeconds() - start < 10);
  command.limits.cpu_seconds = 10;
  command.limits.wall_seconds = 20;
  const SandboxResult output = Run("output", {}, command);
  CHECK(output.output_exceeded);
  CHECK(output.out.size() == command.limits.output_bytes);
}

TEST_CASE_FIXTURE(Fixture, "nothing is inherited and nothing outlives") {
  ::setenv("PINTLE_SECRET", "1", 1);
  SandboxCommand command;
  command.environment = {"LANG=C"};
  CHECK(Run("environment", {}, command).out == "LANG=C\n");
  // The bomb's children sleep 20 s; all are gone when Run returns, so a fresh one may start as many again.
  SandboxCommand spawning;
  spawning.profile = SeccompProfile::kCompiler;
  const size_t first = Run("forkbomb", {}, spawning).out.size();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(Run("forkbomb", {}, spawning).out.size() + 8 >= first);
}

TEST_CASE_FIXTURE(Fixture, "a command that cannot start is an error") {
  SandboxCommand command;
  command.argv = {"/nonexistent/program"};
  command.work_folder = work;
  const Result<SandboxResult> result = sandbox->Run(command);
  REQUIRE(!result.ok());
  CHECK(result.error().what.find("cannot execute") != std::string::npos);
}

}  // namespace
}  // namespace pintle
