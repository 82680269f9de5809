// The few Linux calls Swift can't make: variadic system calls, ioctls and macros.
// Imported by SystemIO alone.
#pragma once

// No system header is included: their types belong to Swift's Glibc module, and a second owner of
// them does not build.

// fcntl and open are variadic.
int clinux_fcntl_int(int fd, int command, int argument);
int clinux_ofd_lock(int fd, int exclusive, int wait);
// 1 where another holds any lock on the file, 0 where none does, -1 on failure.
int clinux_is_locked(int fd);
int clinux_openat(int directory, const char *path, int flags, unsigned int mode);
// glibc 2.36 has wrappers, but Swift's Glibc overlay does not carry the header.
int clinux_pidfd_open(int pid);
int clinux_pidfd_send_signal(int pidfd, int signal);
// Waits for a child by its pidfd without taking any other child's status; see waitid(2), P_PIDFD.
int clinux_waitid_pidfd(int pidfd, int no_hang, int *code, int *status);
// CMSG_* are macros.
long clinux_send_with_fd(int socket, const void *bytes, unsigned long count, int fd);
long clinux_receive_with_fd(int socket, void *bytes, unsigned long count, int *fd);
// Makes an open /dev/net/tun a tap of that name, which goes when it is closed; frames have the header
// of virtio-net and no other (IFF_TAP, IFF_NO_PI, IFF_VNET_HDR).
int clinux_make_tap(int fd, const char *name);
// SO_PEERCRED's struct ucred needs _GNU_SOURCE.
int clinux_peer_uid(int socket, unsigned int *uid);
// statx(2) and the l*xattr calls need _GNU_SOURCE or headers that Swift's Glibc does not carry.
struct clinux_file_status {
  unsigned long long device, inode, size, blocks, attributes, attributes_mask;
  unsigned int mode, links, uid, gid, special_major, special_minor;
  long long seconds[4]; // accessed, modified, changed, born
  unsigned int nanoseconds[4];
  int has_birth;
};
// An empty path asks for the descriptor itself; a symbolic link is never followed.
int clinux_statx(int directory, const char *path, struct clinux_file_status *out);
long clinux_llistxattr(const char *path, char *names, unsigned long size);
long clinux_lgetxattr(const char *path, const char *name, void *value, unsigned long size);
// The number of the file system's sort; statfs(2).
int clinux_inode_flags(int fd, unsigned int *flags);
int clinux_fs_magic(int fd, unsigned int *magic);
// The next data (whence 0) or hole (1) at or after an offset; see lseek(2), SEEK_DATA.
long long clinux_seek_extent(int fd, long long offset, int hole);
// Starts to write what of a file is in memory only, without waiting; sync_file_range(2).
int clinux_start_writeback(int fd);
// Starts a program (posix_spawn): `sources[i]` becomes descriptor `targets[i]`, every other descriptor
// from 3 on is closed, signals are put back to their defaults. A null directory keeps the caller's.
// With `detached` the program is nobody's child here. With a `gate` (else -1) the child becomes the
// program once a byte can be read there, and ends where it is closed before. Answers an error number.
int clinux_spawn(const char *path, char *const *arguments, char *const *environment,
                 const char *directory, const int *sources, const int *targets, int count,
                 int new_session, int detached, int gate, int *pid);
// memfd_create, close-on-exec, needs _GNU_SOURCE.
int clinux_memfd(const char *name);
// pipe2 with O_CLOEXEC needs _GNU_SOURCE.
int clinux_pipe(int ends[2]);
// accept4 needs _GNU_SOURCE; the connection is non-blocking and close-on-exec.
int clinux_accept(int socket);
// A descriptor on which the signals can be read; they are blocked for the calling thread.
int clinux_signalfd(const int *signals, int count);
// The signal number read from such a descriptor; 0 when there is none.
int clinux_signalfd_read(int fd);
// How long, in nanoseconds, a KVM guest takes for a counted loop of `iterations` in long mode; -1 and
// errno where KVM can't run it; -2 when `deadline_ms` passed first. `step` names what failed.
long clinux_kvm_loop(unsigned int iterations, int deadline_ms, const char **step);
