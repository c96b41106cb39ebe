// What a generated program might try, one action by name: the sandbox's opponent in sandbox_test.cc. Not part of the
// product. Exit status: 0 = the action succeeded (bad), 1 = it was refused, 2 = wrong use.
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

int Refused(bool succeeded) { return succeeded ? 0 : 1; }

// Starts children that start children; each prints one dot, so that the test can count them.
int ForkBomb() {
  for (int i = 0; i < 1000; ++i) {
    const pid_t child = ::fork();
    if (child < 0) return 1;
    if (child > 0) {
      std::fputs(".", stdout);
      std::fflush(stdout);
    } else {
      ::sleep(20);
      ::_exit(0);
    }
  }
  return 0;
}

int ThreadBomb() {
  std::vector<std::thread> threads;
  try {
    for (int i = 0; i < 4000; ++i) threads.emplace_back([] { ::sleep(20); });
  } catch (const std::system_error&) {
    std::fprintf(stdout, "%zu", threads.size());
    std::fflush(stdout);
    ::_exit(1);
  }
  ::_exit(0);
}

int MemoryBomb() {
  for (int i = 0; i < 64; ++i) {
    constexpr size_t kPiece = size_t{128} << 20;
    void* piece = std::malloc(kPiece);
    if (piece == nullptr) return 1;
    // One byte a page: enough to make it resident if it were allowed, and cheap where memory is scarce.
    static_cast<volatile char*>(piece)[i] = 1;
  }
  return 0;
}

int FileBomb(const char* path) {
  const int file = ::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) return 1;
  ::signal(SIGXFSZ, SIG_IGN);
  const std::vector<char> block(1 << 20);
  for (int i = 0; i < 64; ++i) {
    if (::write(file, block.data(), block.size()) != static_cast<ssize_t>(block.size())) return 1;
  }
  return 0;
}

int Run(const std::string& action, const char* argument) {
  if (action == "socket")
    return Refused(::socket(AF_INET, SOCK_STREAM, 0) >= 0 || ::socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
  if (action == "read") return Refused(::open(argument, O_RDONLY) >= 0);
  if (action == "write") return Refused(::open(argument, O_WRONLY | O_CREAT, 0644) >= 0);
  if (action == "remove") return Refused(::unlink(argument) == 0);
  if (action == "fork") return Refused(::fork() >= 0);
  if (action == "ptrace") return Refused(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0);
  // The kernel reads the lower half of the first argument alone: a filter that reads both lets this pass.
  if (action == "untie") return Refused(::syscall(SYS_prctl, 1UL << 32 | PR_SET_PDEATHSIG, 0UL, 0UL, 0UL, 0UL) == 0);
  if (action == "mount") return Refused(::mount("none", "/mnt", "tmpfs", 0, nullptr) == 0);
  if (action == "setuid") return Refused(::setuid(0) == 0);
  if (action == "kill") return Refused(::kill(std::atoi(argument), 0) == 0);
  if (action == "exec") {
    ::execl("/bin/sh", "sh", "-c", "exit 0", nullptr);
    return 1;
  }
  if (action == "forkbomb") return ForkBomb();
  if (action == "threads") return ThreadBomb();
  if (action == "memory") return MemoryBomb();
  if (action == "file") return FileBomb(argument);
  if (action == "loop") {
    volatile unsigned counter = 0;
    while (true) counter = counter + 1;
  }
  if (action == "sleep") return static_cast<int>(::sleep(60));
  if (action == "output") {
    const std::string block(65536, 'x');
    while (::write(1, block.data(), block.size()) > 0) {
    }
    return 1;
  }
  if (action == "descriptors") {
    int open_ones = 0;
    for (int i = 3; i < 256; ++i) open_ones += ::fcntl(i, F_GETFD) >= 0 ? 1 : 0;
    return Refused(open_ones > 0);
  }
  if (action == "environment") {
    for (char** entry = environ; *entry != nullptr; ++entry) std::puts(*entry);
    return 0;
  }
  if (action == "identity") {
    std::printf("%u %u", ::getuid(), ::geteuid());
    return 0;
  }
  return 2;
}

}  // namespace

int main(int argc, char** argv) { return argc < 2 ? 2 : Run(argv[1], argc > 2 ? argv[2] : ""); }
