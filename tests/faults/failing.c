/* Lets the n-th call of a kind fail, of those for files below a folder; preloaded.
 *
 * Also watches whether what is renamed was on the disk before, and its folder after. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN, WRITE, SYNC, NAME, CLOSE, ALLOCATE, N_KINDS };

/* A smaller allocation is never refused in practice. */
#define LEAST_BYTES (64 << 10)
#define MOST_FILES 4096

static char folder[4096];
static size_t length;
static volatile int armed;
static int chosen, error, stays;
static long at, counts[N_KINDS], unsafe_names;

/* Files that are on the disk as they are, and folders of which a name is not. */
static struct stat safe[MOST_FILES], loose[MOST_FILES];
static int n_safe, n_loose;

static int find(struct stat *list, int n, const struct stat *file) {
  for (int i = 0; i < n; i++)
    if (list[i].st_ino == file->st_ino && list[i].st_dev == file->st_dev)
      return i;
  return -1;
}

static void add(struct stat *list, int *n, const struct stat *file) {
  if (find(list, *n, file) < 0 && *n < MOST_FILES)
    list[(*n)++] = *file;
}

static void take(struct stat *list, int *n, const struct stat *file) {
  int i = find(list, *n, file);
  if (i >= 0)
    list[i] = list[--*n];
}

/* kind, at: the at-th call of this kind fails with the error, or the process is killed
 * there if that is 0; all from there on if stays. at 0: calls are counted only. */
void arm(const char *below, int kind, long at_, int error_, int stays_) {
  strncpy(folder, below, sizeof folder - 1);
  length = strlen(folder);
  chosen = kind, at = at_, error = error_, stays = stays_;
  memset(counts, 0, sizeof counts);
  n_safe = n_loose = unsafe_names = 0;
  armed = 1;
}

void disarm(void) { armed = 0; }
long count(int kind) { return counts[kind]; }
/* Names given to files that were not on the disk, or that are not there themselves. */
long count_unsafe(void) { return unsafe_names + n_loose; }

static int fails(int kind) {
  long n = __atomic_add_fetch(&counts[kind], 1, __ATOMIC_SEQ_CST);
  if (kind != chosen || !at || !(n == at || (stays && n > at)))
    return 0;
  if (!error)
    kill(getpid(), SIGKILL);
  errno = error;
  return 1;
}

static int is_below(const char *path) {
  return path && !strncmp(path, folder, length) && path[length] == '/';
}

static int is_ours(int fd) {
  char link[64], path[4096];
  if (!armed)
    return 0;
  int before = errno;
  char digits[16];
  int n = 0, rest = fd;
  do digits[n++] = '0' + rest % 10; while ((rest /= 10) > 0);
  strcpy(link, "/proc/self/fd/");
  size_t end = strlen(link);
  while (n) link[end++] = digits[--n];
  link[end] = 0;
  ssize_t size = readlink(link, path, sizeof path - 1);
  errno = before;
  if (fd < 0 || size < 0)
    return 0;
  path[size] = 0;
  return is_below(path);
}

static void *next_of(const char *name) { return dlsym(RTLD_NEXT, name); }
#define NEXT(name) \
  static __typeof__(&name) next; \
  if (!next) next = (__typeof__(&name))next_of(#name)

static int writes(int fd) {
  if (!is_ours(fd))
    return 0;
  struct stat file;
  if (!fstat(fd, &file))
    take(safe, &n_safe, &file);
  return fails(WRITE);
}

#define WRITES(result, name, arguments, names) \
  result name arguments { \
    NEXT(name); \
    if (writes(fd)) return -1; \
    return next names; \
  }

WRITES(ssize_t, write, (int fd, const void *data, size_t n), (fd, data, n))
WRITES(ssize_t, pwrite, (int fd, const void *data, size_t n, off_t to), (fd, data, n, to))
WRITES(ssize_t, pwrite64, (int fd, const void *data, size_t n, off64_t to), (fd, data, n, to))
WRITES(ssize_t, writev, (int fd, const struct iovec *data, int n), (fd, data, n))
WRITES(ssize_t, pwritev, (int fd, const struct iovec *data, int n, off_t to), (fd, data, n, to))
WRITES(ssize_t, sendfile, (int fd, int from, off_t *start, size_t n), (fd, from, start, n))
WRITES(ssize_t, sendfile64, (int fd, int from, off64_t *start, size_t n), (fd, from, start, n))
WRITES(ssize_t, copy_file_range, (int from, off64_t *start, int fd, off64_t *to, size_t n, unsigned int how), (from, start, fd, to, n, how))
WRITES(int, ftruncate, (int fd, off_t n), (fd, n))
WRITES(int, ftruncate64, (int fd, off64_t n), (fd, n))

int posix_fallocate(int fd, off_t start, off_t n) {
  NEXT(posix_fallocate);
  return writes(fd) ? errno : next(fd, start, n);
}

int posix_fallocate64(int fd, off64_t start, off64_t n) {
  NEXT(posix_fallocate64);
  return writes(fd) ? errno : next(fd, start, n);
}

static int syncs(int fd) {
  if (!is_ours(fd))
    return 0;
  if (fails(SYNC))
    return 1;
  struct stat file;
  if (!fstat(fd, &file)) {
    if (S_ISDIR(file.st_mode))
      take(loose, &n_loose, &file);
    else
      add(safe, &n_safe, &file);
  }
  return 0;
}

int fsync(int fd) {
  NEXT(fsync);
  return syncs(fd) ? -1 : next(fd);
}

int fdatasync(int fd) {
  NEXT(fdatasync);
  return syncs(fd) ? -1 : next(fd);
}

static int names(const char *old, const char *new) {
  if (!armed || !is_below(new))
    return 0;
  if (fails(NAME))
    return 1;
  struct stat file;
  if (!lstat(old, &file) && S_ISREG(file.st_mode)) {
    if (find(safe, n_safe, &file) < 0)
      unsafe_names++;
    char above[4096];
    strncpy(above, new, sizeof above - 1);
    *strrchr(above, '/') = 0;
    if (!stat(above, &file))
      add(loose, &n_loose, &file);
  }
  return 0;
}

int rename(const char *old, const char *new) {
  NEXT(rename);
  return names(old, new) ? -1 : next(old, new);
}

int renameat(int from, const char *old, int to, const char *new) {
  NEXT(renameat);
  return names(old, new) ? -1 : next(from, old, to, new);
}

int mkdir(const char *path, mode_t mode) {
  NEXT(mkdir);
  return armed && is_below(path) && fails(NAME) ? -1 : next(path, mode);
}

int symlink(const char *target, const char *path) {
  NEXT(symlink);
  return armed && is_below(path) && fails(NAME) ? -1 : next(target, path);
}

int close(int fd) {
  NEXT(close);
  int how = armed ? fcntl(fd, F_GETFL) : -1;
  int is_failing = how >= 0 && (how & O_ACCMODE) != O_RDONLY && is_ours(fd) && fails(CLOSE);
  int code = errno;
  int closed = next(fd);
  if (!is_failing)
    return closed;
  errno = code;
  return -1;
}

#define OPENS(name, arguments, names) \
  int name arguments { \
    NEXT(name); \
    va_list more; \
    va_start(more, how); \
    int mode = how & (O_CREAT | O_TMPFILE) ? va_arg(more, int) : 0; \
    va_end(more); \
    if (armed && is_below(path) && fails(OPEN)) return -1; \
    return next names; \
  }

OPENS(open, (const char *path, int how, ...), (path, how, mode))
OPENS(open64, (const char *path, int how, ...), (path, how, mode))
OPENS(openat, (int from, const char *path, int how, ...), (from, path, how, mode))
OPENS(openat64, (int from, const char *path, int how, ...), (from, path, how, mode))

/* glibc's own, since to look for the next one would allocate. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static int is_refused(size_t n) {
  return armed && n >= LEAST_BYTES && fails(ALLOCATE);
}

void *malloc(size_t n) { return is_refused(n) ? NULL : __libc_malloc(n); }

void *calloc(size_t n, size_t size) {
  size_t all;
  if (!__builtin_mul_overflow(n, size, &all) && is_refused(all))
    return NULL;
  return __libc_calloc(n, size);
}

void *realloc(void *old, size_t n) {
  return is_refused(n) ? NULL : __libc_realloc(old, n);
}

void *memalign(size_t step, size_t n) {
  return is_refused(n) ? NULL : __libc_memalign(step, n);
}

void *aligned_alloc(size_t step, size_t n) { return memalign(step, n); }

int posix_memalign(void **place, size_t step, size_t n) {
  if (is_refused(n))
    return ENOMEM;
  void *found = __libc_memalign(step, n);
  if (!found)
    return ENOMEM;
  *place = found;
  return 0;
}

void *mmap(void *place, size_t n, int allowed, int how, int fd, off_t from) {
  NEXT(mmap);
  if (how & MAP_ANONYMOUS && is_refused(n))
    return MAP_FAILED;
  return next(place, n, allowed, how, fd, from);
}

void *mmap64(void *place, size_t n, int allowed, int how, int fd, off64_t from) {
  return mmap(place, n, allowed, how, fd, from);
}
