/*
 * Preloaded into a ledger (LD_PRELOAD), it makes calls on the files of one folder fail, be short or slow, or end the process, or
 * writes a record of each of them. Settings are variables, so that they reach a process that knows nothing of this file:
 *
 *   SHIM_FOLDER  only files whose path begins so
 *   SHIM_SUFFIX  only files whose path ends so; all if it is empty
 *   SHIM_CALLS   any of w (write, truncate), s (sync), r (read), m (create, rename, link, unlink)
 *   SHIM_MODE    error, short, slow, exit, log, or count
 *   SHIM_AT      the first call that is affected, from 1
 *   SHIM_TIMES   the number of calls that are affected
 *   SHIM_ERRNO   the error
 *   SHIM_LOG     the file of the record, or of the number of calls
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <pthread.h>
#include <unistd.h>

static atomic_long calls = 0;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *setting(const char *name) {
  const char *value = getenv(name);
  return value == NULL ? "" : value;
}

static int is_mode(const char *mode) { return strcmp(setting("SHIM_MODE"), mode) == 0; }

/* Returns whether a call on a path is meant. */
static int is_meant(const char *path, char kind) {
  const char *folder = setting("SHIM_FOLDER"), *suffix = setting("SHIM_SUFFIX");
  size_t length = strlen(path), tail = strlen(suffix);
  if (folder[0] == 0 || strncmp(path, folder, strlen(folder)) != 0) return 0;
  if (strchr(setting("SHIM_CALLS"), kind) == NULL) return 0;
  return length >= tail && strcmp(path + length - tail, suffix) == 0;
}

static int path_of(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* A record: a letter, two paths, an offset, bytes. Its lengths come first. */
static void record(char kind, const char *path, const char *to, int64_t offset, const void *bytes, size_t size) {
  static int fd = -1;
  pthread_mutex_lock(&log_lock);
  if (fd == -1) fd = REAL(open)(setting("SHIM_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  uint32_t lengths[4] = {(uint32_t)kind, (uint32_t)strlen(path), (uint32_t)strlen(to), (uint32_t)size};
  struct iovec parts[5] = {{lengths, sizeof lengths}, {&offset, sizeof offset}, {(void *)path, lengths[1]},
                           {(void *)to, lengths[2]}, {(void *)bytes, size}};
  if (REAL(writev)(fd, parts, 5) < 0) abort();
  pthread_mutex_unlock(&log_lock);
}

enum verdict { GO_ON, FAIL, SHORT };

/* Decides about the next call. Does not return if the process ends here. */
static enum verdict next_call(const char *path, char kind) {
  if (!is_meant(path, kind) || is_mode("log")) return GO_ON;
  long number = atomic_fetch_add(&calls, 1) + 1;
  if (is_mode("count")) {
    record('c', path, "", number, "", 0);
    return GO_ON;
  }
  long at = atol(setting("SHIM_AT")), times = atol(setting("SHIM_TIMES"));
  if (number < at || number >= at + (times == 0 ? 1 : times)) return GO_ON;
  if (is_mode("exit")) _exit(137);
  if (is_mode("slow")) {
    usleep(300000);
    return GO_ON;
  }
  if (is_mode("short")) return SHORT;
  errno = atoi(setting("SHIM_ERRNO"));
  return FAIL;
}

static int is_logged(const char *path, char kind) { return is_mode("log") && is_meant(path, kind); }

#define ON_FD(fd, kind)                                     \
  char path[PATH_MAX];                                      \
  int is_known = path_of(fd, path);                         \
  enum verdict verdict = is_known ? next_call(path, kind) : GO_ON; \
  if (verdict == FAIL) return -1;

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
  ON_FD(fd, 'w')
  ssize_t done = REAL(pwrite64)(fd, bytes, verdict == SHORT ? size / 2 : size, offset);
  if (done > 0 && is_known && is_logged(path, 'w')) record('w', path, "", offset, bytes, done);
  return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) { return pwrite64(fd, bytes, size, offset); }

ssize_t write(int fd, const void *bytes, size_t size) {
  if (fd == 1 && is_mode("log")) {
    record('a', "", "", 0, bytes, size);
    return REAL(write)(fd, bytes, size);
  }
  ON_FD(fd, 'w')
  off64_t at = lseek64(fd, 0, SEEK_CUR);
  ssize_t done = REAL(write)(fd, bytes, verdict == SHORT ? size / 2 : size);
  if (done > 0 && is_known && is_logged(path, 'w')) record('w', path, "", at, bytes, done);
  return done;
}

ssize_t read(int fd, void *bytes, size_t size) {
  ON_FD(fd, 'r')
  return REAL(read)(fd, bytes, verdict == SHORT ? size / 2 : size);
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t offset) {
  ON_FD(fd, 'r')
  return REAL(pread64)(fd, bytes, verdict == SHORT ? size / 2 : size, offset);
}

ssize_t pread(int fd, void *bytes, size_t size, off_t offset) { return pread64(fd, bytes, size, offset); }

int ftruncate64(int fd, off64_t length) {
  ON_FD(fd, 'w')
  int result = REAL(ftruncate64)(fd, length);
  if (result == 0 && is_known && is_logged(path, 'w')) record('t', path, "", length, "", 0);
  return result;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int fsync(int fd) {
  ON_FD(fd, 's')
  int result = REAL(fsync)(fd);
  if (result == 0 && is_known && is_logged(path, 's')) record('s', path, "", 0, "", 0);
  return result;
}

int fdatasync(int fd) {
  ON_FD(fd, 's')
  int result = REAL(fdatasync)(fd);
  if (result == 0 && is_known && is_logged(path, 's')) record('s', path, "", 0, "", 0);
  return result;
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  int creates = (flags & O_CREAT) != 0 && access(path, F_OK) != 0;
  if (creates && next_call(path, 'm') == FAIL) return -1;
  int fd = REAL(open64)(path, flags, mode);
  if (fd >= 0 && creates && is_logged(path, 'm')) record('o', path, "", 0, "", 0);
  return fd;
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return open64(path, flags, mode);
}

int rename(const char *from, const char *to) {
  if (next_call(to, 'm') == FAIL) return -1;
  int result = REAL(rename)(from, to);
  if (result == 0 && is_logged(to, 'm')) record('r', from, to, 0, "", 0);
  return result;
}

int link(const char *from, const char *to) {
  if (next_call(to, 'm') == FAIL) return -1;
  int result = REAL(link)(from, to);
  if (result == 0 && is_logged(to, 'm')) record('l', from, to, 0, "", 0);
  return result;
}

int unlink(const char *path) {
  if (next_call(path, 'm') == FAIL) return -1;
  int result = REAL(unlink)(path);
  if (result == 0 && is_logged(path, 'm')) record('u', path, "", 0, "", 0);
  return result;
}
