#include "serve/gateway/supervisor.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "base/log.h"
#include "base/time.h"

namespace pintle {
namespace {

namespace asio = boost::asio;

constexpr double kFirstPause = 0.25, kLongestPause = 30;  // seconds before a restart; doubles
constexpr double kStableSeconds = 60;                     // after so long the pause begins anew
constexpr double kStopSeconds = 5;                        // from SIGTERM to SIGKILL

// In the child, between fork and exec: only what is safe there.
[[noreturn]] void BecomeChild(char* const* arguments, pid_t parent) {
  // However the parent ends, the child ends with it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  setpgid(0, 0);  // a Ctrl-C on the terminal is for the parent, which then ends its children in order
  // Narration goes to stderr; the parent's stdout is its own.
  dup2(STDERR_FILENO, STDOUT_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, 0);  // a copy of a client's socket would keep its connection open
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE}) {
    struct sigaction action{};
    action.sa_handler = SIG_DFL;
    sigaction(signal, &action, nullptr);
  }
  execv(arguments[0], arguments);
  _exit(127);
}

}  // namespace

Result<std::vector<uint16_t>> FreeLoopbackPorts(size_t count) {
  std::vector<uint16_t> ports;
  std::vector<int> probes;  // all open until the last port is known
  for (size_t i = 0; i < count; ++i) {
    probes.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (probes.back() >= 0 && bind(probes.back(), generic, size) == 0 &&
        getsockname(probes.back(), generic, &size) == 0) {
      ports.push_back(ntohs(address.sin_port));
    }
  }
  for (const int probe : probes) {
    if (probe >= 0) close(probe);
  }
  if (ports.size() < count) return RuntimeError("there is no free port on 127.0.0.1");
  return ports;
}

Supervisor::Supervisor(asio::io_context& io, std::vector<ChildProgram> programs) : io_(io), signals_(io) {
  for (ChildProgram& program : programs) {
    auto child = std::make_unique<Child>();
    child->program = std::move(program);
    children_.push_back(std::move(child));
  }
}

Supervisor::~Supervisor() { Stop(); }

Status Supervisor::Start() {
  if (children_.empty()) return {};
  boost::system::error_code code;
  signals_.add(SIGCHLD, code);
  if (code) return RuntimeError("cannot watch child processes: " + code.message());
  asio::co_spawn(io_, WatchExits(), asio::detached);
  for (const auto& child : children_) PINTLE_RETURN_IF_ERROR(Spawn(*child));
  return {};
}

Status Supervisor::Spawn(Child& child) {
  std::vector<char*> arguments;
  arguments.reserve(child.program.arguments.size() + 1);
  for (std::string& word : child.program.arguments) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return RuntimeError(std::string("cannot start a process: ") + std::strerror(errno), child.program.name);
  if (pid == 0) BecomeChild(arguments.data(), parent);
  child.pid = pid;
  child.started = MonotonicSeconds();
  LogInfo("up", fmt::format("started node {} (process {})", child.program.name, pid));
  return {};
}

asio::awaitable<void> Supervisor::WatchExits() {
  while (!stopping_) {
    const auto [code, signal] = co_await signals_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (code || stopping_) co_return;
    Reap();
  }
}

void Supervisor::Reap() {
  for (const auto& child : children_) {
    int state = 0;
    if (child->pid == 0 || waitpid(child->pid, &state, WNOHANG) != child->pid) continue;
    child->pid = 0;
    const bool stable = MonotonicSeconds() - child->started > kStableSeconds;
    child->pause = stable || child->pause == 0 ? kFirstPause : std::min(2 * child->pause, kLongestPause);
    const std::string how = WIFSIGNALED(state) ? fmt::format("by signal {}", WTERMSIG(state))
                                               : fmt::format("with exit status {}", WEXITSTATUS(state));
    LogWarning("up",
               fmt::format("node {} ended {}; starting it again in {} s", child->program.name, how, child->pause));
    if (on_exit) on_exit(child->program.name);
    asio::co_spawn(io_, Restart(*child), asio::detached);
  }
}

asio::awaitable<void> Supervisor::Restart(Child& child) {
  asio::steady_timer timer(io_, std::chrono::milliseconds(static_cast<int64_t>(1000 * child.pause)));
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (stopping_) co_return;
  if (const Status spawned = Spawn(child); !spawned.ok()) {
    LogWarning("up", spawned.error().Message());
    child.pause = std::min(2 * child.pause, kLongestPause);
    asio::co_spawn(io_, Restart(child), asio::detached);
  }
}

void Supervisor::Stop() {
  stopping_ = true;
  for (const auto& child : children_) {
    if (child->pid != 0) kill(child->pid, SIGTERM);
  }
  const double deadline = MonotonicSeconds() + kStopSeconds;
  for (const auto& child : children_) {
    bool killed = false;
    while (child->pid != 0) {
      const pid_t ended = waitpid(child->pid, nullptr, WNOHANG);
      if (ended == child->pid || (ended < 0 && errno != EINTR)) {
        child->pid = 0;
      } else if (!killed && MonotonicSeconds() > deadline) {
        kill(child->pid, SIGKILL);
        killed = true;
      } else {
        usleep(5000);
      }
    }
  }
}

}  // namespace pintle
