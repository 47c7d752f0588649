/* Keeps a journal of all that is written to one SQLite database and of each sync, for power.py to read.
 *
 * Loaded before the C library (LD_PRELOAD), whose calls it takes the place of. A record is appended after its call has
 * returned, in one write, so that the records of several processes do not mix and stand in the order of cause and
 * effect. A sync vouches for what stood in the journal when it began.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WRITE = 1, TRUNCATE, SYNC, UNLINK };
enum file { NONE = 0, DATABASE, WAL, ROLLBACK_JOURNAL, FOLDER };

struct record {
    uint32_t kind;
    uint32_t file;
    uint64_t where; /* WRITE: offset, TRUNCATE: size, SYNC: length of the journal when it began */
    uint64_t length; /* WRITE: number of bytes, which follow */
};

static char database[PATH_MAX], folder[PATH_MAX];
static int journal = -1;

__attribute__((constructor)) static void start(void) {
    const char *path = getenv("POWER_DATABASE"), *record = getenv("POWER_JOURNAL");
    if (path == NULL || record == NULL || strlen(path) >= sizeof database)
        abort();
    strcpy(database, path);
    strcpy(folder, path);
    *strrchr(folder, '/') = '\0';
    journal = open(record, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (journal < 0)
        abort();
}

static enum file file_at(const char *path) {
    size_t length = strlen(database);
    if (strcmp(path, folder) == 0)
        return FOLDER;
    if (strncmp(path, database, length) != 0)
        return NONE;
    if (path[length] == '\0')
        return DATABASE;
    if (strcmp(path + length, "-wal") == 0)
        return WAL;
    return strcmp(path + length, "-journal") == 0 ? ROLLBACK_JOURNAL : NONE;
}

static enum file file_of(int descriptor) {
    char link[32], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (journal < 0 || length < 0)
        return NONE;
    path[length] = '\0';
    return file_at(path);
}

static void append(enum kind kind, enum file file, uint64_t where, const void *bytes, uint64_t length) {
    struct record record = {kind, file, where, length};
    struct iovec parts[] = {{&record, sizeof record}, {(void *)bytes, length}};
    if (writev(journal, parts, 2) != (ssize_t)(sizeof record + length))
        abort();
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    ssize_t written = syscall(SYS_pwrite64, descriptor, bytes, count, offset);
    enum file file = written > 0 ? file_of(descriptor) : NONE;
    if (file != NONE)
        append(WRITE, file, offset, bytes, written);
    return written;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    return pwrite(descriptor, bytes, count, offset);
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    enum file file = file_of(descriptor);
    off_t offset = file == NONE ? 0 : lseek(descriptor, 0, SEEK_CUR);
    ssize_t written = syscall(SYS_write, descriptor, bytes, count);
    if (file != NONE && written > 0)
        append(WRITE, file, offset, bytes, written);
    return written;
}

int ftruncate(int descriptor, off_t size) {
    int result = syscall(SYS_ftruncate, descriptor, size);
    enum file file = result == 0 ? file_of(descriptor) : NONE;
    if (file != NONE)
        append(TRUNCATE, file, size, NULL, 0);
    return result;
}

int ftruncate64(int descriptor, off64_t size) { return ftruncate(descriptor, size); }

static int sync_by(long call, int descriptor) {
    enum file file = file_of(descriptor);
    struct stat before;
    if (file != NONE && fstat(journal, &before) != 0)
        abort();
    int result = syscall(call, descriptor);
    if (file != NONE && result == 0)
        append(SYNC, file, before.st_size, NULL, 0);
    return result;
}

int fsync(int descriptor) { return sync_by(SYS_fsync, descriptor); }

int fdatasync(int descriptor) { return sync_by(SYS_fdatasync, descriptor); }

int unlink(const char *path) {
    int result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    enum file file = result == 0 ? file_at(path) : NONE;
    if (file != NONE)
        append(UNLINK, file, 0, NULL, 0);
    return result;
}
