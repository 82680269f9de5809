// A guest of a dozen instructions, to see whether KVM runs guest code at native speed.
#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static long long now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

enum { memory_size = 0x10000, code_at = 0x1000, pml4_at = 0x2000, pdpt_at = 0x3000, pd_at = 0x4000 };

// mov ecx, N; 1: add rax, rcx; xor rax, rcx; dec ecx; jnz 1b; hlt
static void write_code(unsigned char *at, unsigned int iterations) {
  static const unsigned char body[] = {0x48, 0x01, 0xc8, 0x48, 0x31, 0xc8,
                                       0xff, 0xc9, 0x75, 0xf6, 0xf4};
  *at = 0xb9;
  memcpy(at + 1, &iterations, 4);
  memcpy(at + 5, body, sizeof body);
}

// 64-bit mode with the first GiB mapped one to one (Intel SDM volume 3A, 4.5 and 9.8.5).
static int enter_long_mode(int vcpu, unsigned char *memory) {
  unsigned long long entry = pdpt_at | 3;
  memcpy(memory + pml4_at, &entry, 8);
  entry = pd_at | 3;
  memcpy(memory + pdpt_at, &entry, 8);
  entry = 0x83;
  memcpy(memory + pd_at, &entry, 8);
  struct kvm_sregs special;
  if (ioctl(vcpu, KVM_GET_SREGS, &special) < 0) return -1;
  struct kvm_segment code = {.limit = 0xffffffff, .selector = 8, .type = 11,
                             .present = 1, .s = 1, .l = 1, .g = 1};
  struct kvm_segment data = code;
  data.type = 3;
  data.selector = 16;
  data.l = 0;
  data.db = 1;
  special.cs = code;
  special.ds = special.es = special.fs = special.gs = special.ss = data;
  special.cr3 = pml4_at;
  special.cr4 = 1 << 5;             // PAE
  special.cr0 = 0x80050033;         // PG AM WP NE ET MP PE
  special.efer = 0x500;             // LMA LME
  if (ioctl(vcpu, KVM_SET_SREGS, &special) < 0) return -1;
  struct kvm_regs registers = {.rip = code_at, .rflags = 2};
  return ioctl(vcpu, KVM_SET_REGS, &registers);
}

struct watch {
  volatile unsigned char *immediate_exit;
  pthread_t runner;
  int deadline_ms;
  volatile int done;
  volatile int late;
};

static void nothing(int signal) { (void)signal; }

// KVM_RUN has no time-out; a signal ends it. Repeated, since one may come just before the call.
static void *watch_deadline(void *argument) {
  struct watch *watch = argument;
  long long end = now_ns() + watch->deadline_ms * 1000000LL;
  struct timespec pause = {.tv_nsec = 2000000};
  while (!watch->done) {
    if (now_ns() > end) {
      watch->late = 1;
      *watch->immediate_exit = 1;
      pthread_kill(watch->runner, SIGURG);
    }
    nanosleep(&pause, NULL);
  }
  return NULL;
}

static long timed_run(int vcpu, struct kvm_run *run, int deadline_ms, const char **step) {
  struct watch watch = {.immediate_exit = &run->immediate_exit,
                        .runner = pthread_self(), .deadline_ms = deadline_ms};
  pthread_t thread;
  int error = pthread_create(&thread, NULL, watch_deadline, &watch);
  if (error) {
    errno = error;
    *step = "start a thread";
    return -1;
  }
  long long start = now_ns();
  int result = ioctl(vcpu, KVM_RUN, 0);
  error = errno;
  long long took = now_ns() - start;
  watch.done = 1;
  pthread_join(thread, NULL);
  if (watch.late) return -2;
  *step = "run guest code";
  if (result < 0) {
    errno = error;
    return -1;
  }
  if (run->exit_reason != KVM_EXIT_HLT) {
    errno = EPROTO;
    return -1;
  }
  return (long)took;
}

static long with_vcpu(int kvm, int vm, int vcpu, unsigned char *memory, int deadline_ms,
                      const char **step) {
  *step = "set up a guest";
  int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
  if (size < (int)sizeof(struct kvm_run)) return -1;
  struct kvm_userspace_memory_region region = {.memory_size = memory_size,
                                               .userspace_addr = (unsigned long)memory};
  if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0) return -1;
  if (enter_long_mode(vcpu, memory) < 0) return -1;
  struct kvm_run *run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
  if (run == MAP_FAILED) return -1;
  long took = timed_run(vcpu, run, deadline_ms, step);
  int error = errno;
  munmap(run, (size_t)size);
  errno = error;
  return took;
}

long clinux_kvm_loop(unsigned int iterations, int deadline_ms, const char **step) {
  long took = -1;
  int vm = -1, vcpu = -1;
  unsigned char *memory = MAP_FAILED;
  // A handler that does nothing, so that the signal interrupts instead of being ignored; SIGURG's
  // default is to be ignored, and what stood there is put back.
  struct sigaction action = {.sa_handler = nothing}, before;
  sigaction(SIGURG, &action, &before);
  *step = "open /dev/kvm";
  int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (kvm >= 0) {
    *step = "find KVM's interface version 12";
    errno = ENOTSUP;
    if (ioctl(kvm, KVM_GET_API_VERSION, 0) == 12) {
      *step = "create a guest";
      vm = ioctl(kvm, KVM_CREATE_VM, 0);
    }
  }
  if (vm >= 0) vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
  if (vcpu >= 0)
    memory = mmap(NULL, memory_size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory != MAP_FAILED) {
    write_code(memory + code_at, iterations);
    took = with_vcpu(kvm, vm, vcpu, memory, deadline_ms, step);
  }
  int error = errno;
  if (memory != MAP_FAILED) munmap(memory, memory_size);
  if (vcpu >= 0) close(vcpu);
  if (vm >= 0) close(vm);
  if (kvm >= 0) close(kvm);
  sigaction(SIGURG, &before, NULL);
  errno = error;
  return took;
}
