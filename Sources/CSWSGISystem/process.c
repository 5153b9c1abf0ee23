#define _GNU_SOURCE
#include "swsgi_system.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void swsgi_adopt_orphans(void) { prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

struct failure { int stage, error; };

static void fail(int pipe, int stage) {
    struct failure failure = {stage, errno};
    ssize_t ignored = write(pipe, &failure, sizeof failure);
    (void)ignored;
    _exit(127);
}

/* Copies go above every place first, as a descriptor may stand where another one belongs. `copies` was allocated before the fork. */
static int place_descriptors(const swsgi_spawn_request *request, int *copies, int *pipe) {
    int count = (int)request->descriptor_count, limit = count;
    for (int i = 0; i < count; i++) limit = request->descriptors[i] > limit ? request->descriptors[i] : limit;
    limit = *pipe > limit ? *pipe : limit;
    int high = fcntl(*pipe, F_DUPFD_CLOEXEC, limit + 1);
    if (high < 0) return -1;
    *pipe = high; /* the original may lie where a descriptor goes */
    for (int i = 0; i < count; i++)
        if ((copies[i] = fcntl(request->descriptors[i], F_DUPFD_CLOEXEC, limit + 1)) < 0) return -1;
    for (int i = 0; i < count; i++)
        if (dup2(copies[i], i) < 0) return -1;
    if (count < high && syscall(SYS_close_range, (unsigned)count, (unsigned)high - 1, 0) < 0) return -1;
    return (int)syscall(SYS_close_range, (unsigned)high + 1, ~0u, 0);
}

static int limit_descriptors(rlim_t soft) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -1;
    limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

static int set_capabilities(unsigned permitted, unsigned inheritable) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0, permitted, inheritable}};
    return (int)syscall(SYS_capset, &header, sets);
}

/* What may be inherited can't be raised any more once the bounding set is empty. */
static int allow_inheriting(unsigned capabilities) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, sets) < 0) return -1;
    sets[0].inheritable |= capabilities;
    return (int)syscall(SYS_capset, &header, sets);
}

/* Without CAP_SETPCAP, as in some containers, no_new_privs has to do: no program can get a capability with it either. */
static int empty_bounding_set(void) {
    for (unsigned long number = 0; prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; number++)
        if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0 && errno != EPERM) return -1;
    return 0;
}

static int confine(const swsgi_spawn_request *request) {
    if (request->keep_chroot && (allow_inheriting(1u << CAP_SYS_CHROOT) < 0 || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)) return -1;
    if (empty_bounding_set() < 0) return -1;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* The order is the only one that works: groups, then gid, then uid; each verified, and root must be out of reach. */
static void change_identity(const swsgi_spawn_request *request, int pipe) {
    uid_t real = 0, effective = 0, saved = 0;
    gid_t real_group = 0, effective_group = 0, saved_group = 0;
    if (setgroups(request->group_count, request->groups) < 0) fail(pipe, SWSGI_SPAWN_GROUPS);
    if (setresgid(request->gid, request->gid, request->gid) < 0 || getresgid(&real_group, &effective_group, &saved_group) < 0)
        fail(pipe, SWSGI_SPAWN_GID);
    if (setresuid(request->uid, request->uid, request->uid) < 0 || getresuid(&real, &effective, &saved) < 0)
        fail(pipe, SWSGI_SPAWN_UID);
    errno = EPERM;
    if (real != request->uid || effective != request->uid || saved != request->uid) fail(pipe, SWSGI_SPAWN_UID);
    if (real_group != request->gid || effective_group != request->gid || saved_group != request->gid)
        fail(pipe, SWSGI_SPAWN_GID);
    unsigned chroot_only = request->keep_chroot ? 1u << CAP_SYS_CHROOT : 0;
    if (request->uid != 0 && set_capabilities(chroot_only, chroot_only) < 0) fail(pipe, SWSGI_SPAWN_CONFINE);
    if (chroot_only && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_CHROOT, 0, 0) < 0) fail(pipe, SWSGI_SPAWN_CONFINE);
    if (request->uid != 0 && (setuid(0) == 0 || setresuid(-1, 0, -1) == 0)) { errno = EPERM; fail(pipe, SWSGI_SPAWN_REGAINED); }
}

static void become(const swsgi_spawn_request *request, int *copies, int pipe) {
    sigset_t none;
    setsid();
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* Each descriptor is there twice while they are put in their places. */
    if (request->descriptor_limit && limit_descriptors(RLIM_INFINITY) < 0) fail(pipe, SWSGI_SPAWN_DESCRIPTORS);
    if (place_descriptors(request, copies, &pipe) < 0) fail(pipe, SWSGI_SPAWN_DESCRIPTORS);
    if (request->descriptor_limit && limit_descriptors(request->descriptor_limit) < 0) fail(pipe, SWSGI_SPAWN_DESCRIPTORS);
    if (request->priority && setpriority(PRIO_PROCESS, 0, request->priority) < 0) fail(pipe, SWSGI_SPAWN_PRIORITY);
    if (request->confine && confine(request) < 0) fail(pipe, SWSGI_SPAWN_CONFINE);
    if (request->change_identity) change_identity(request, pipe);
    if (chdir(request->directory ? request->directory : "/") < 0) fail(pipe, SWSGI_SPAWN_DIRECTORY);
    if (request->umask >= 0) umask((mode_t)request->umask);
    execve(request->path, request->arguments, request->environment);
    fail(pipe, SWSGI_SPAWN_EXEC);
}

int swsgi_spawn(const swsgi_spawn_request *request, pid_t *pid, int *error) {
    int report[2];
    sigset_t all, before;
    struct failure failure = {SWSGI_SPAWN_OK, 0};
    int *copies = calloc(request->descriptor_count + 1, sizeof *copies);
    if (!copies || pipe2(report, O_CLOEXEC) < 0) { *error = errno; free(copies); return SWSGI_SPAWN_FORK; }
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before); /* no handler of ours may run in the child */
    *pid = fork();
    if (*pid == 0) become(request, copies, report[1]);
    int fork_error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    free(copies);
    if (*pid < 0) { close(report[0]); *error = fork_error; return SWSGI_SPAWN_FORK; }
    ssize_t got;
    while ((got = read(report[0], &failure, sizeof failure)) < 0 && errno == EINTR) {}
    close(report[0]);
    if (got != (ssize_t)sizeof failure) return SWSGI_SPAWN_OK;
    while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR) {}
    *error = failure.error;
    return failure.stage;
}

int swsgi_enter_root(const char *root) {
    if (chroot(root) < 0 || chdir("/") < 0) return -errno;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || set_capabilities(0, 0) < 0) return -errno;
    return chroot("/") == 0 ? -EPERM : 0; /* a second one would be the way out */
}

int swsgi_processor(void) { return sched_getcpu(); }

int swsgi_set_dumpable(int dumpable) { return prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0) < 0 ? -errno : 0; }

int swsgi_pidfd_open(pid_t pid) {
    int descriptor = (int)syscall(SYS_pidfd_open, pid, 0);
    return descriptor < 0 ? -errno : descriptor;
}

int swsgi_signal_descriptor(const int *signals, size_t count) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++) sigaddset(&set, signals[i]);
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (error != 0) return -error;
    int descriptor = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

int swsgi_signal_next(int descriptor) {
    struct signalfd_siginfo info;
    return read(descriptor, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

const char *swsgi_signal_name(int number) { return sigabbrev_np(number); }

int swsgi_sealed_memory(const char *name, const void *bytes, size_t length) {
    int descriptor = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0) return -errno;
    for (size_t done = 0; done < length;) {
        ssize_t written = write(descriptor, (const char *)bytes + done, length - done);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) goto failed;
        done += (size_t)written;
    }
    if (fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0) return descriptor;
failed:;
    int error = errno;
    close(descriptor);
    return -error;
}

int swsgi_shared_memory(const char *name, size_t length) {
    int descriptor = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0) return -errno;
    if (ftruncate(descriptor, (off_t)length) == 0
        && fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) return descriptor;
    int error = errno;
    close(descriptor);
    return -error;
}

int swsgi_is_sealed(int descriptor) {
    int seals = fcntl(descriptor, F_GET_SEALS);
    return seals >= 0 && (seals & F_SEAL_SHRINK) && (seals & F_SEAL_WRITE);
}
