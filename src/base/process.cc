#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/interrupt.h"
#include "base/time.h"

namespace pintle {
namespace {

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Reads what is there into `text` up to the limit; false at the end of the stream.
bool Drain(int descriptor, std::string& text, size_t limit) {
  char buffer[65536];
  const ssize_t got = ::read(descriptor, buffer, sizeof buffer);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (got > 0 && text.size() < limit) text.append(buffer, std::min(static_cast<size_t>(got), limit - text.size()));
  return got > 0;
}

}  // namespace

Result<ProcessResult> RunProcess(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  std::vector<std::string> words = arguments;
  std::vector<std::string> environment = options.environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('=') + 1);
    bool replaced = false;
    for (const auto& own : options.environment) replaced |= std::string_view(own).starts_with(name);
    if (!replaced) environment.emplace_back(text);
  }
  int out[2], err[2];
  if (::pipe2(out, O_CLOEXEC) != 0) return RuntimeError("cannot make a pipe", arguments[0]);
  if (::pipe2(err, O_CLOEXEC) != 0) {
    ::close(out[0]);
    ::close(out[1]);
    return RuntimeError("cannot make a pipe", arguments[0]);
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (options.stdout_file.empty()) {
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, options.stdout_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                     0644);
  }
  posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
  if (!options.folder.empty()) posix_spawn_file_actions_addchdir_np(&actions, options.folder.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  pid_t child = 0;
  const auto argv = Pointers(words);
  const auto envp = Pointers(environment);
  const int failed = posix_spawnp(&child, words[0].c_str(), &actions, &attributes, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  ::close(out[1]);
  ::close(err[1]);
  if (failed != 0) {
    ::close(out[0]);
    ::close(err[0]);
    return RuntimeError(std::string("cannot start the program: ") + std::strerror(failed), arguments[0],
                        "install it, or put it on the PATH");
  }

  ProcessResult result;
  const double deadline = MonotonicSeconds() + options.timeout_seconds;
  bool out_open = true, err_open = true, killed = false, interrupted = false;
  while (out_open || err_open) {
    pollfd polls[2] = {{out_open ? out[0] : -1, POLLIN, 0}, {err_open ? err[0] : -1, POLLIN, 0}};
    ::poll(polls, 2, 100);
    if (polls[0].revents != 0) out_open = Drain(out[0], result.out, options.output_limit);
    if (polls[1].revents != 0) err_open = Drain(err[0], result.err, options.output_limit);
    interrupted = Interrupted();
    if (!killed && (interrupted || MonotonicSeconds() > deadline)) {
      ::kill(-child, SIGKILL);
      killed = true;
    }
  }
  ::close(out[0]);
  ::close(err[0]);
  int state = 0;
  while (::waitpid(child, &state, 0) < 0 && errno == EINTR) {
  }
  if (interrupted) return RuntimeError("interrupted", arguments[0]);
  if (killed)
    return RuntimeError("ran longer than " + HumanDuration(options.timeout_seconds) + " and was stopped", arguments[0]);
  result.exit_status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  return result;
}

bool ProgramExists(const std::string& name) {
  if (name.find('/') != std::string::npos) return ::access(name.c_str(), X_OK) == 0;
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "/usr/bin:/bin" : path;
  while (!rest.empty()) {
    const size_t colon = rest.find(':');
    const std::string candidate = std::string(rest.substr(0, colon)) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return true;
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  return false;
}

}  // namespace pintle
