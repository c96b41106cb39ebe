#include "base/interrupt.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace pintle {
namespace {

volatile std::sig_atomic_t g_interrupted = 0;

void OnSignal(int signal) {
  if (g_interrupted != 0) _exit(3);
  const int before = errno;  // of what the signal came in between
  g_interrupted = signal;
  static constexpr char kMessage[] = "\ninterrupted: finishing this step and saving (again to stop at once)\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
  errno = before;
}

}  // namespace

void InstallInterruptHandler() {
  struct sigaction action{};
  action.sa_handler = OnSignal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool Interrupted() { return g_interrupted != 0; }
void SetInterrupted(bool interrupted) { g_interrupted = interrupted ? 1 : 0; }

}  // namespace pintle
