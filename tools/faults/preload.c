/* Faults of the machine, for one process and its children (LD_PRELOAD).

   FAULT_PATH, FAULT_AFTER: after so many writes to files whose path holds FAULT_PATH, writing to
   them or renaming them fails with EIO.
   FAULT_CLOCK, FAULT_AFTER: after so many readings the clock on the wall is so many seconds off. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static long calls, readings;

static long after(void) {
    const char *text = getenv("FAULT_AFTER");
    return text ? atol(text) : 0;
}

static int broken_path(const char *path) {
    const char *wanted = getenv("FAULT_PATH");
    return wanted && path && strstr(path, wanted) && __sync_add_and_fetch(&calls, 1) > after();
}

static int broken(int fd) {
    char link[64], path[4096];
    if (!getenv("FAULT_PATH")) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return broken_path(path);
}

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))
#define FAIL_IF(condition) if (condition) { errno = EIO; return -1; }

ssize_t write(int fd, const void *data, size_t size) {
    FAIL_IF(broken(fd))
    return REAL(write)(fd, data, size);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    FAIL_IF(broken(fd))
    return REAL(pwrite64)(fd, data, size, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    FAIL_IF(broken(fd))
    return REAL(writev)(fd, parts, count);
}

int fsync(int fd) {
    FAIL_IF(broken(fd))
    return REAL(fsync)(fd);
}

int rename(const char *from, const char *to) {
    FAIL_IF(broken_path(to))
    return REAL(rename)(from, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    FAIL_IF(broken_path(to))
    return REAL(renameat)(from_folder, from, to_folder, to);
}

static long offset(void) {
    const char *text = getenv("FAULT_CLOCK");
    return text && __sync_add_and_fetch(&readings, 1) > after() ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = REAL(clock_gettime)(clock, now);
    if (result == 0 && clock == CLOCK_REALTIME) now->tv_sec += offset();
    return result;
}

int gettimeofday(struct timeval *now, void *zone) {
    int result = REAL(gettimeofday)(now, zone);
    if (result == 0) now->tv_sec += offset();
    return result;
}

time_t time(time_t *into) {
    time_t now = REAL(time)(NULL) + offset();
    if (into) *into = now;
    return now;
}
