#include "evaluate/seccomp_filter.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace pintle {
namespace {

constexpr const char* kDenied[] = {
    // networks
    "socket", "bind", "connect", "listen", "accept", "accept4", "sendto", "sendmmsg",
    // other processes
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp", "pidfd_getfd",
    "pidfd_send_signal", "kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "setsid", "setpgid", "migrate_pages",
    "move_pages", "sched_setscheduler", "sched_setattr", "setpriority", "ioprio_set",
    // mounts, roots, namespaces
    "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick",
    "mount_setattr", "unshare", "setns", "open_by_handle_at", "name_to_handle_at", "quotactl", "quotactl_fd", "swapon",
    "swapoff", "fanotify_init", "fanotify_mark",
    // keys, tracing, kernel
    "keyctl", "add_key", "request_key", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter",
    "io_uring_register", "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot",
    "acct", "syslog", "personality", "lookup_dcookie", "iopl", "ioperm", "settimeofday", "clock_settime",
    "clock_adjtime", "adjtimex", "sethostname", "setdomainname", "vhangup", "nfsservctl", "modify_ldt", "mbind",
    "set_mempolicy", "memfd_secret", "mknod", "mknodat",
    // identities
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid", "setfsgid",
    "capset"};

using Filter = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

// A name that this libseccomp or this architecture does not know cannot be called by it either.
int Deny(scmp_filter_ctx filter, const char* name, int error = EPERM) {
  const int number = ::seccomp_syscall_resolve_name(name);
  return number == __NR_SCMP_ERROR ? 0 : ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(error), number, 0);
}

// A condition on one argument; `value` is used by the masked comparison only.
scmp_arg_cmp Compare(unsigned argument, scmp_compare op, scmp_datum_t datum, scmp_datum_t value = 0) {
  return {argument, op, datum, value};
}

int AddRules(scmp_filter_ctx filter, SeccompProfile profile) {
  for (const char* name : kDenied) {
    if (const int code = Deny(filter, name); code != 0) return code;
  }
  const auto deny_if = [&](const char* name, const scmp_arg_cmp& argument) {
    return ::seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), ::seccomp_syscall_resolve_name(name), 1, &argument);
  };
  if (const int code = Deny(filter, "clone3", ENOSYS); code != 0) return code;
  constexpr scmp_datum_t kNamespaces[] = {CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                          CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET};
  for (const scmp_datum_t flag : kNamespaces) {
    if (const int code = deny_if("clone", Compare(0, SCMP_CMP_MASKED_EQ, flag, flag)); code != 0) return code;
  }
  // Limits of other processes; and a child may not cut the tie by which it dies with us.
  if (const int code = deny_if("prlimit64", Compare(0, SCMP_CMP_NE, 0)); code != 0) return code;
  if (const int code = deny_if("socketpair", Compare(0, SCMP_CMP_NE, AF_UNIX)); code != 0) return code;
  // The kernel looks at the lower half of these two arguments alone, so the filter must too.
  constexpr scmp_datum_t kLowerHalf = 0xffffffff;
  const scmp_arg_cmp death_signal = Compare(0, SCMP_CMP_MASKED_EQ, kLowerHalf, PR_SET_PDEATHSIG);
  if (const int code = deny_if("prctl", death_signal); code != 0) return code;
  // Pushing characters into a terminal.
  constexpr scmp_datum_t kTiocsti = 0x5412;
  if (const int code = deny_if("ioctl", Compare(1, SCMP_CMP_MASKED_EQ, kLowerHalf, kTiocsti)); code != 0) return code;
  if (profile == SeccompProfile::kProgram) {
    // A compiler passes its linker's process descriptor through a pair of sockets, which leads nowhere else.
    for (const char* name : {"fork", "vfork", "socketpair", "sendmsg", "pidfd_open"}) {
      if (const int code = Deny(filter, name); code != 0) return code;
    }
    if (const int code = deny_if("clone", Compare(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)); code != 0) return code;
  }
  return 0;
}

}  // namespace

Result<std::string> CompileSeccompFilter(SeccompProfile profile) {
  const Filter filter(::seccomp_init(SCMP_ACT_ALLOW), ::seccomp_release);
  if (!filter) return RuntimeError("cannot make a seccomp filter");
  if (const int code = AddRules(filter.get(), profile); code != 0) {
    return RuntimeError(std::string("cannot build the seccomp filter: ") + std::strerror(-code));
  }
  const int memory = ::memfd_create("seccomp", MFD_CLOEXEC);
  if (memory < 0) return RuntimeError(std::string("cannot make a memory file: ") + std::strerror(errno));
  std::string bytes;
  struct stat info{};
  const bool exported = ::seccomp_export_bpf(filter.get(), memory) == 0 && ::fstat(memory, &info) == 0;
  if (exported) {
    bytes.resize(static_cast<size_t>(info.st_size));
    if (::pread(memory, bytes.data(), bytes.size(), 0) != info.st_size) bytes.clear();
  }
  ::close(memory);
  if (bytes.empty() || bytes.size() % sizeof(sock_filter) != 0) return RuntimeError("cannot export the seccomp filter");
  return bytes;
}

int InstallSeccompFilter(const char* bytes, unsigned long size) {
  // The kernel only reads the instructions; its structure is not const.
  const sock_fprog program{static_cast<unsigned short>(size / sizeof(sock_filter)),
                           reinterpret_cast<sock_filter*>(const_cast<char*>(bytes))};
  return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0 ? 0 : errno;
}

}  // namespace pintle
