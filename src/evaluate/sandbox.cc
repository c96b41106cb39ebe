#include "evaluate/sandbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/time.h"
#include "evaluate/landlock.h"
#include "evaluate/sandbox_child.h"

namespace pintle {
namespace {

constexpr unsigned kNobody = 65534;

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() { Close(); }
  void Close() {
    if (value_ >= 0) ::close(std::exchange(value_, -1));
  }
  [[nodiscard]] int get() const { return value_; }

 private:
  int value_;
};

struct Pipe {
  Descriptor read, write;
};

Result<Pipe> MakePipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return RuntimeError(std::string("cannot make a pipe: ") + std::strerror(errno));
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

// Processes and threads of a user: the limit counts them together, so that a user's desktop must not use it up.
uint64_t TasksOfUser(unsigned user) {
  uint64_t count = 0;
  DIR* processes = ::opendir("/proc");
  if (processes == nullptr) return 0;
  while (const dirent* entry = ::readdir(processes)) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    struct stat info{};
    const std::string tasks = std::string("/proc/") + entry->d_name + "/task";
    if (::stat(tasks.c_str(), &info) != 0 || info.st_uid != user) continue;
    count += info.st_nlink > 2 ? info.st_nlink - 2 : 1;
  }
  ::closedir(processes);
  return count;
}

const char* StepName(ChildStep step) {
  switch (step) {
    case ChildStep::kDescriptors:
      return "set its descriptors";
    case ChildStep::kNamespaces:
      return "make its namespaces";
    case ChildStep::kFolder:
      return "enter the work folder";
    case ChildStep::kLimits:
      return "set its limits";
    case ChildStep::kUser:
      return "change the user";
    case ChildStep::kPrivileges:
      return "drop its privileges";
    case ChildStep::kLandlock:
      return "apply Landlock";
    case ChildStep::kSeccomp:
      return "apply seccomp";
    case ChildStep::kExec:
      return "execute";
  }
  return "start";
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  // execve takes char* for the sake of old C; it does not write.
  for (const std::string& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// One captured stream.
struct Capture {
  Descriptor pipe;
  std::string* kept;
  uint64_t total = 0;

  // Reads what there is; closes at the end.
  void Drain(uint64_t limit) {
    std::array<char, 65536> buffer;
    while (pipe.get() >= 0) {
      const ssize_t got = ::read(pipe.get(), buffer.data(), buffer.size());
      if (got > 0) {
        total += static_cast<uint64_t>(got);
        if (kept->size() < limit) {
          kept->append(buffer.data(), std::min<uint64_t>(static_cast<uint64_t>(got), limit - kept->size()));
        }
        if (total > limit * 64) return;
      } else if (got == 0) {
        pipe.Close();
      } else if (errno != EINTR) {
        return;
      }
    }
  }
};

// Waits for the end of the process or a limit, reading its streams meanwhile. True if it ended by itself.
bool Watch(pid_t process, const SandboxLimits& limits, std::array<Capture, 2>& captures, SandboxResult& result) {
  constexpr long kPidfdOpen = 434;
  const Descriptor ended(static_cast<int>(::syscall(kPidfdOpen, process, 0u)));
  const double deadline = MonotonicSeconds() + limits.wall_seconds;
  while (true) {
    const double left = deadline - MonotonicSeconds();
    if (left <= 0) {
      result.timed_out = true;
      return false;
    }
    std::array<pollfd, 3> wait{pollfd{captures[0].pipe.get(), POLLIN, 0}, pollfd{captures[1].pipe.get(), POLLIN, 0},
                               pollfd{ended.get(), POLLIN, 0}};
    // Without a descriptor for the process (kernels before 5.3) look every 5 ms.
    const int pause = ended.get() >= 0 ? static_cast<int>(left * 1000) + 1 : 5;
    if (::poll(wait.data(), wait.size(), pause) < 0 && errno != EINTR) return false;
    for (Capture& capture : captures) {
      capture.Drain(limits.output_bytes);
      if (capture.total > limits.output_bytes * 64) {
        result.output_exceeded = true;
        return false;
      }
    }
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == process) {
      return true;
    }
  }
}

// What the command may open: its own paths, its work folder, and what every program needs.
Result<LandlockRules> MakeRules(const SandboxCommand& command) {
  PINTLE_ASSIGN(LandlockRules rules, LandlockRules::Create());
  for (const auto& path : command.read_paths) PINTLE_RETURN_IF_ERROR(rules.AllowRead(path));
  for (const char* path : {"/dev/urandom", "/etc/ld.so.cache"}) PINTLE_RETURN_IF_ERROR(rules.AllowRead(path));
  for (const char* path : {"/dev/null", "/dev/zero"}) PINTLE_RETURN_IF_ERROR(rules.AllowWrite(path));
  PINTLE_RETURN_IF_ERROR(rules.AllowWrite(command.work_folder));
  return rules;
}

}  // namespace

Result<SandboxResult> Sandbox::Run(const SandboxCommand& command) const {
  std::optional<LandlockRules> rules;
  if (landlock_) {
    PINTLE_ASSIGN(LandlockRules made, MakeRules(command));
    rules.emplace(std::move(made));
  }
  const std::string& filter = command.profile == SeccompProfile::kProgram ? program_filter_ : compiler_filter_;
  const bool root = ::geteuid() == 0;
  const bool drop_user = root && !command.keep_user && user_ != 0;
  const Descriptor input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  PINTLE_ASSIGN(Pipe out, MakePipe());
  PINTLE_ASSIGN(Pipe err, MakePipe());
  PINTLE_ASSIGN(Pipe failure_pipe, MakePipe());
  const std::vector<char*> argv = Pointers(command.argv), environment = Pointers(command.environment);
  const std::string folder = command.work_folder.string();
  ChildPlan plan{};
  plan.argv = argv.data();
  plan.environment = environment.data();
  plan.work_folder = folder.c_str();
  plan.input = input.get();
  plan.out = out.write.get();
  plan.err = err.write.get();
  plan.error_pipe = failure_pipe.write.get();
  plan.rules = rules.has_value() ? rules->descriptor() : -1;
  plan.filter = seccomp_ ? filter.data() : nullptr;
  plan.filter_size = filter.size();
  plan.user = user_;
  plan.drop_user = drop_user;
  plan.drop_rights = root && !drop_user;
  plan.namespaces = namespaces_;
  plan.parent = ::getpid();
  plan.cpu_seconds = static_cast<uint64_t>(command.limits.cpu_seconds);
  plan.address_space = command.limits.address_space;
  plan.file_size = command.limits.file_size;
  plan.processes = static_cast<uint64_t>(command.limits.processes) + TasksOfUser(drop_user ? user_ : ::geteuid());
  plan.open_files = static_cast<uint64_t>(command.limits.open_files);

  const pid_t process = ::fork();
  if (process < 0) return RuntimeError(std::string("cannot start a process: ") + std::strerror(errno));
  if (process == 0) RunSandboxChild(plan);
  out.write.Close();
  err.write.Close();
  failure_pipe.write.Close();
  ::fcntl(out.read.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(err.read.get(), F_SETFL, O_NONBLOCK);

  SandboxResult result;
  std::array<Capture, 2> captures{Capture{std::move(out.read), &result.out}, Capture{std::move(err.read), &result.err}};
  Watch(process, command.limits, captures, result);
  // The group goes before its leader is reaped: until then nobody else can have its number.
  ::kill(-process, SIGKILL);
  ::kill(process, SIGKILL);
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  for (Capture& capture : captures) capture.Drain(command.limits.output_bytes);

  ChildFailure failure{};
  if (::read(failure_pipe.read.get(), &failure, sizeof failure) == static_cast<ssize_t>(sizeof failure)) {
    return RuntimeError(
        std::string("the sandbox cannot ") + StepName(failure.step) + ": " + std::strerror(failure.error),
        command.argv.front());
  }
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) {
    result.signal = WTERMSIG(status);
    if (result.signal == SIGXCPU) result.timed_out = true;
  }
  return result;
}

Result<Sandbox> Sandbox::Detect(bool unsafe) {
  Sandbox sandbox;
  PINTLE_ASSIGN(sandbox.program_filter_, CompileSeccompFilter(SeccompProfile::kProgram));
  PINTLE_ASSIGN(sandbox.compiler_filter_, CompileSeccompFilter(SeccompProfile::kCompiler));
  const TemporaryFolder folder;
  std::error_code ignored;
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755), ignored);
  SandboxCommand probe;
  probe.argv = {"/bin/true"};
  probe.work_folder = folder.path();
  probe.read_paths = {"/usr", "/bin", "/lib", "/lib64"};
  const auto works = [&] {
    const Result<SandboxResult> result = sandbox.Run(probe);
    return result.ok() && result->Succeeded();
  };
  if (!works()) return RuntimeError("the sandbox cannot run /bin/true, not even without its layers");
  const auto layer = [&](bool& flag) {
    flag = true;
    if (!works()) flag = false;
  };
  layer(sandbox.seccomp_);
  if (LandlockVersion() > 0) layer(sandbox.landlock_);
  layer(sandbox.namespaces_);
  sandbox.user_ = ::geteuid();
  if (sandbox.user_ == 0) {
    sandbox.user_ = kNobody;
    if (!works()) sandbox.user_ = 0;
  }
  if ((!sandbox.seccomp_ || !sandbox.landlock_) && !unsafe) {
    return RuntimeError(
        std::string("this machine offers no ") + (sandbox.seccomp_ ? "Landlock" : "seccomp") +
            ", without which generated programs are not run",
        {}, "use a kernel of version 5.13 or newer with Landlock, or pass --unsafe on a machine you can lose");
  }
  sandbox.level_ = "rlimits";
  if (sandbox.seccomp_) sandbox.level_ += "+seccomp";
  if (sandbox.landlock_) sandbox.level_ += "+landlock" + std::to_string(LandlockVersion());
  sandbox.level_ += sandbox.user_ == kNobody ? "+uid65534" : sandbox.user_ == 0 ? "+nocaps" : "";
  if (sandbox.namespaces_) sandbox.level_ += "+netns";
  if (!sandbox.seccomp_ || !sandbox.landlock_) sandbox.level_ += " (unsafe)";
  return sandbox;
}

}  // namespace pintle
