// The few Linux calls Swift can't make: variadic system calls, ioctls and macros.
// Imported by SystemIO alone.
#pragma once

// No system header is included: their types belong to Swift's Glibc module, and a second owner of
// them does not build.

// fcntl and open are variadic.
int clinux_fcntl_int(int fd, int command, int argument);
int clinux_ofd_lock(int fd, int exclusive, int wait);
int clinux_openat(int directory, const char *path, int flags, unsigned int mode);
// glibc 2.36 has wrappers, but Swift's Glibc overlay does not carry the header.
int clinux_pidfd_open(int pid);
int clinux_pidfd_send_signal(int pidfd, int signal);
// Waits for a child by its pidfd without taking any other child's status; see waitid(2), P_PIDFD.
int clinux_waitid_pidfd(int pidfd, int no_hang, int *code, int *status);
// CMSG_* are macros.
long clinux_send_with_fd(int socket, const void *bytes, unsigned long count, int fd);
long clinux_receive_with_fd(int socket, void *bytes, unsigned long count, int *fd);
// SO_PEERCRED's struct ucred needs _GNU_SOURCE.
int clinux_peer_uid(int socket, unsigned int *uid);
