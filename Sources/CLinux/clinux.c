#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

int clinux_fcntl_int(int fd, int command, int argument) { return fcntl(fd, command, argument); }

int clinux_ofd_lock(int fd, int exclusive, int wait) {
  struct flock lock = {.l_type = exclusive ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};
  return fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock);
}

int clinux_is_locked(int fd) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  if (fcntl(fd, F_OFD_GETLK, &lock) < 0) return -1;
  return lock.l_type != F_UNLCK;
}

int clinux_openat(int directory, const char *path, int flags, unsigned int mode) {
  return openat(directory, path, flags, mode);
}

int clinux_pidfd_open(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int clinux_pidfd_send_signal(int pidfd, int signal) {
  return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int clinux_waitid_pidfd(int pidfd, int no_hang, int *code, int *status) {
  siginfo_t info;
  memset(&info, 0, sizeof info);
  int result = waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | (no_hang ? WNOHANG : 0));
  if (result < 0) return -1;
  if (info.si_pid == 0) return 0;
  *code = info.si_code;
  *status = info.si_status;
  return 1;
}

long clinux_send_with_fd(int socket, const void *bytes, unsigned long count, int fd) {
  struct iovec data = {.iov_base = (void *)bytes, .iov_len = count};
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  memset(&control, 0, sizeof control);
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return sendmsg(socket, &message, MSG_NOSIGNAL);
}

long clinux_receive_with_fd(int socket, void *bytes, unsigned long count, int *fd) {
  struct iovec data = {.iov_base = bytes, .iov_len = count};
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  *fd = -1;
  ssize_t received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (received < 0) return received;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
      header->cmsg_len == CMSG_LEN(sizeof(int)))
    memcpy(fd, CMSG_DATA(header), sizeof *fd);
  return received;
}

int clinux_make_tap(int fd, const char *name) {
  struct ifreq request;
  memset(&request, 0, sizeof request);
  if (!*name || strlen(name) >= sizeof request.ifr_name) {
    errno = EINVAL;
    return -1;
  }
  strcpy(request.ifr_name, name);
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  return ioctl(fd, TUNSETIFF, &request);
}

int clinux_peer_uid(int socket, unsigned int *uid) {
  struct ucred credentials;
  socklen_t length = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0) return -1;
  *uid = credentials.uid;
  return 0;
}

int clinux_inode_flags(int fd, unsigned int *flags) {
  // The kernel writes an int, whatever the request's own type says (ioctl_iflags(2)).
  int value = 0;
  int result = ioctl(fd, FS_IOC_GETFLAGS, &value);
  if (result == 0) *flags = (unsigned int)value;
  return result;
}

int clinux_fs_magic(int fd, unsigned int *magic) {
  struct statfs raw;
  int result = fstatfs(fd, &raw);
  if (result == 0) *magic = (unsigned int)raw.f_type;
  return result;
}

int clinux_statx(int directory, const char *path, struct clinux_file_status *out) {
  struct statx status;
  int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*path ? 0 : AT_EMPTY_PATH);
  if (statx(directory, path, flags, STATX_BASIC_STATS | STATX_BTIME, &status) < 0) return -1;
  memset(out, 0, sizeof *out);
  out->device = (unsigned long long)status.stx_dev_major << 32 | status.stx_dev_minor;
  out->inode = status.stx_ino;
  out->size = status.stx_size;
  out->blocks = status.stx_blocks;
  out->attributes = status.stx_attributes;
  out->attributes_mask = status.stx_attributes_mask;
  out->mode = status.stx_mode;
  out->links = status.stx_nlink;
  out->uid = status.stx_uid;
  out->gid = status.stx_gid;
  out->special_major = status.stx_rdev_major;
  out->special_minor = status.stx_rdev_minor;
  const struct statx_timestamp *times[] = {
      &status.stx_atime, &status.stx_mtime, &status.stx_ctime, &status.stx_btime};
  for (int i = 0; i < 4; i++) {
    out->seconds[i] = times[i]->tv_sec;
    out->nanoseconds[i] = times[i]->tv_nsec;
  }
  out->has_birth = (status.stx_mask & STATX_BTIME) != 0;
  return 0;
}

long clinux_llistxattr(const char *path, char *names, unsigned long size) {
  return llistxattr(path, names, size);
}

long clinux_lgetxattr(const char *path, const char *name, void *value, unsigned long size) {
  return lgetxattr(path, name, value, size);
}

long long clinux_seek_extent(int fd, long long offset, int hole) {
  return lseek(fd, offset, hole ? SEEK_HOLE : SEEK_DATA);
}

int clinux_start_writeback(int fd) { return sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); }

static int spawn_here(const char *path, char *const *arguments, char *const *environment,
                      const char *directory, const int *sources, const int *targets, int count,
                      int new_session, int *pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int error = posix_spawn_file_actions_init(&actions);
  if (error) return error;
  error = posix_spawnattr_init(&attributes);
  if (error) {
    posix_spawn_file_actions_destroy(&actions);
    return error;
  }
  int top = 3;
  for (int i = 0; i < count && !error; i++) {
    error = posix_spawn_file_actions_adddup2(&actions, sources[i], targets[i]);
    if (targets[i] >= top) top = targets[i] + 1;
  }
  // Numbers between the targets that nobody asked for are closed too.
  for (int fd = 3; fd < top && !error; fd++) {
    int wanted = 0;
    for (int i = 0; i < count; i++) wanted |= targets[i] == fd;
    if (!wanted) error = posix_spawn_file_actions_addclose(&actions, fd);
  }
  if (!error) error = posix_spawn_file_actions_addclosefrom_np(&actions, top);
  if (!error && directory) error = posix_spawn_file_actions_addchdir_np(&actions, directory);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (new_session) flags |= POSIX_SPAWN_SETSID;
  if (!error) error = posix_spawnattr_setsigmask(&attributes, &none);
  if (!error) error = posix_spawnattr_setsigdefault(&attributes, &all);
  if (!error) error = posix_spawnattr_setflags(&attributes, flags);
  if (!error) error = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// The gated child: waits for one byte, then becomes the program. Between fork and exec only calls
// are made that signal-safety(7) lists.
static void wait_and_become(const char *path, char *const *arguments, char *const *environment,
                            const char *directory, const int *sources, const int *targets,
                            int count, int new_session, int gate) {
  sigset_t none;
  sigemptyset(&none);
  struct sigaction standard;
  memset(&standard, 0, sizeof standard);
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; number++) sigaction(number, &standard, NULL);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (new_session) setsid();
  int top = 2;
  for (int i = 0; i < count; i++) {
    if (dup2(sources[i], targets[i]) < 0) _exit(126);
    if (targets[i] > top) top = targets[i];
  }
  char byte;
  ssize_t got;
  // The writing end is open in this child too, and would keep the gate from ever being closed.
  for (int fd = top + 1; fd < gate; fd++) close(fd);
  close_range((unsigned)gate + 1, ~0U, 0);
  do got = read(gate, &byte, 1);
  while (got < 0 && errno == EINTR);
  if (got != 1) _exit(125);
  close(gate);
  for (int fd = 3; fd < top; fd++) {
    int wanted = 0;
    for (int i = 0; i < count; i++) wanted |= targets[i] == fd;
    if (!wanted) close(fd);
  }
  if (!directory || chdir(directory) == 0) execve(path, arguments, environment);
  static const char failure[] = "the program can't be executed\n";
  ssize_t ignored = write(2, failure, sizeof failure - 1);
  (void)ignored;
  _exit(127);
}

int clinux_spawn(const char *path, char *const *arguments, char *const *environment,
                 const char *directory, const int *sources, const int *targets, int count,
                 int new_session, int detached, int gate, int *pid) {
  // Sources are first moved above every target, so that no dup2 overwrites a source still needed.
  int top = 2;
  for (int i = 0; i < count; i++)
    if (targets[i] > top) top = targets[i];
  int *moved = calloc((size_t)count + 1, sizeof *moved);
  if (!moved) return ENOMEM;
  int error = 0, made = 0;
  for (; made < count; made++) {
    moved[made] = fcntl(sources[made], F_DUPFD_CLOEXEC, top + 1);
    if (moved[made] < 0) {
      error = errno;
      break;
    }
  }
  int moved_gate = -1;
  if (!error && gate >= 0) {
    moved_gate = fcntl(gate, F_DUPFD_CLOEXEC, top + 1);
    if (moved_gate < 0) error = errno;
  }
  if (!error && gate >= 0) {
    *pid = fork();
    if (*pid == 0)
      wait_and_become(path, arguments, environment, directory, moved, targets, count, new_session,
                      moved_gate);
    if (*pid < 0) error = errno;
  } else if (!error && !detached)
    error = spawn_here(path, arguments, environment, directory, moved, targets, count,
                       new_session, pid);
  if (!error && gate < 0 && detached) {
    // The middle process ends at once, so that init inherits the program. It shares this memory
    // (vfork), hence the result needs no pipe.
    volatile int result = 0;
    pid_t middle = vfork();
    if (middle == 0) {
      result = spawn_here(path, arguments, environment, directory, moved, targets, count,
                          new_session, pid);
      _exit(0);
    }
    if (middle < 0) error = errno;
    int status;
    while (middle > 0 && waitpid(middle, &status, 0) < 0 && errno == EINTR) {
    }
    if (middle > 0) error = result;
  }
  if (moved_gate >= 0) close(moved_gate);
  for (int i = 0; i < made; i++) close(moved[i]);
  free(moved);
  return error;
}

int clinux_memfd(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int clinux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int clinux_accept(int socket) {
  return accept4(socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int clinux_signalfd(const int *signals, int count) {
  sigset_t set;
  sigemptyset(&set);
  for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
  if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return -1;
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int clinux_signalfd_read(int fd) {
  struct signalfd_siginfo info;
  return read(fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}
