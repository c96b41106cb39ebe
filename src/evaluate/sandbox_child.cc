#include "evaluate/sandbox_child.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "evaluate/landlock.h"
#include "evaluate/seccomp_filter.h"

namespace pintle {
namespace {

[[noreturn]] void Fail(const ChildPlan& plan, ChildStep step, int error) {
  const ChildFailure failure{step, error};
  const ssize_t ignored = ::write(plan.error_pipe, &failure, sizeof failure);
  static_cast<void>(ignored);
  ::_exit(127);
}

// stdin, stdout and stderr are ours; everything else closes at exec.
bool SetDescriptors(const ChildPlan& plan) {
  if (::dup2(plan.input, 0) < 0 || ::dup2(plan.out, 1) < 0 || ::dup2(plan.err, 2) < 0) return false;
  constexpr long kCloseRange = 436;
  constexpr unsigned kCloseOnExec = 4;
  if (::syscall(kCloseRange, 3u, ~0u, kCloseOnExec) == 0) return true;
  for (int descriptor = 3; descriptor < 4096; ++descriptor) ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  return true;
}

void ResetSignals() {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGCHLD, SIGXFSZ}) ::signal(number, SIG_DFL);
}

// A limit of the caller that is lower already stays.
bool Limit(int resource, uint64_t soft, uint64_t hard) {
  rlimit now{};
  const auto which = static_cast<__rlimit_resource>(resource);
  if (::getrlimit(which, &now) != 0) return false;
  const rlimit wanted{soft < now.rlim_max ? soft : now.rlim_max, hard < now.rlim_max ? hard : now.rlim_max};
  return ::setrlimit(which, &wanted) == 0;
}

bool SetLimits(const ChildPlan& plan) {
  constexpr uint64_t kStack = uint64_t{8} << 20;
  return Limit(RLIMIT_CPU, plan.cpu_seconds, plan.cpu_seconds + 1) &&
         Limit(RLIMIT_AS, plan.address_space, plan.address_space) &&
         Limit(RLIMIT_FSIZE, plan.file_size, plan.file_size) && Limit(RLIMIT_NPROC, plan.processes, plan.processes) &&
         Limit(RLIMIT_NOFILE, plan.open_files, plan.open_files) && Limit(RLIMIT_CORE, 0, 0) &&
         Limit(RLIMIT_MEMLOCK, 0, 0) && Limit(RLIMIT_MSGQUEUE, 0, 0) && Limit(RLIMIT_STACK, kStack, kStack);
}

// Root without rights: no capability now, none after exec, none for its children.
bool DropRights() {
  constexpr unsigned long kNoRoot =
      SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
  for (int capability = 0; capability <= 63; ++capability) ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  if (::prctl(PR_SET_SECUREBITS, kNoRoot, 0, 0, 0) != 0 && errno != EPERM) return false;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct nothing[2]{};
  return ::syscall(SYS_capset, &header, nothing) == 0;
}

}  // namespace

void RunSandboxChild(const ChildPlan& plan) {
  ::setsid();
  ResetSignals();
  ::umask(022);
  if (!SetDescriptors(plan)) Fail(plan, ChildStep::kDescriptors, errno);
  if (plan.namespaces && ::unshare(CLONE_NEWNET | CLONE_NEWIPC | (::geteuid() == 0 ? 0 : CLONE_NEWUSER)) != 0) {
    Fail(plan, ChildStep::kNamespaces, errno);
  }
  if (plan.drop_user) {
    // The system calls themselves: the C library's versions talk to the other threads, of which there are none here.
    const unsigned user = plan.user;
    if (::syscall(SYS_setgroups, size_t{0}, nullptr) != 0 || ::syscall(SYS_setresgid, user, user, user) != 0 ||
        ::syscall(SYS_setresuid, user, user, user) != 0) {
      Fail(plan, ChildStep::kUser, errno);
    }
  }
  if (plan.drop_rights && !DropRights()) Fail(plan, ChildStep::kPrivileges, errno);
  // A change of user forgets this, so it comes after.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::getppid() != plan.parent) ::_exit(127);
  if (::chdir(plan.work_folder) != 0) Fail(plan, ChildStep::kFolder, errno);
  if (!SetLimits(plan)) Fail(plan, ChildStep::kLimits, errno);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) Fail(plan, ChildStep::kPrivileges, errno);
  if (plan.rules >= 0) {
    if (const int error = LandlockRestrictSelf(plan.rules); error != 0) Fail(plan, ChildStep::kLandlock, error);
  }
  if (plan.filter != nullptr) {
    if (const int error = InstallSeccompFilter(plan.filter, plan.filter_size); error != 0) {
      Fail(plan, ChildStep::kSeccomp, error);
    }
  }
  ::execve(plan.argv[0], plan.argv, plan.environment);
  Fail(plan, ChildStep::kExec, errno);
}

}  // namespace pintle
