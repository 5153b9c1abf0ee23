#define _GNU_SOURCE
#include "swsgi_system.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { SIGNAL_STACK_SIZE = 64 * 1024, RECORD_MAX = 256 };
/* In place of a reply socket that the thread holds: what became of it. */
enum { ENDED_BY_CRASH = -1, HANDED_OVER = -2 };

static const int fatal[] = {SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP, SIGSYS};
enum { FATAL_COUNT = sizeof fatal / sizeof fatal[0] };

static struct sigaction former[FATAL_COUNT];
static struct running { atomic_int waiting, reply_plus_one; _Atomic(const char *) entry_file, request_line; } running[SWSGI_RUNNING_MAX];
static atomic_size_t running_limit;
static atomic_int crashed_thread;
static int control_socket = -1;
static unsigned char record[RECORD_MAX];
static size_t record_length, signal_offset;
static unsigned backtrace_limit;
static char dump_directory[PATH_MAX];

static void say(const char *text) {
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
}

void swsgi_running_shut_down(void) {
    for (size_t slot = 0, limit = atomic_load(&running_limit); slot < limit; slot++) {
        int reply = atomic_load(&running[slot].reply_plus_one);
        if (reply > 0 && atomic_compare_exchange_strong(&running[slot].reply_plus_one, &reply, ENDED_BY_CRASH))
            shutdown(reply - 1, SHUT_RDWR);
    }
}

/* Threads that wait for an exchange would take one more, and be suspended with it until the backtrace has been written. */
static void stop_waiting_threads(void) {
    for (int round = 0; round < 100; round++) {
        size_t waiting = 0;
        for (size_t slot = 0, limit = atomic_load(&running_limit); slot < limit; slot++) {
            int thread = atomic_load(&running[slot].waiting);
            if (thread == 0 || thread == gettid()) continue;
            waiting++;
            syscall(SYS_tgkill, getpid(), thread, SIGRTMIN + 1);
        }
        if (waiting == 0) return;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static void say_what_was_running(void) {
    for (size_t slot = 0, limit = atomic_load(&running_limit); slot < limit; slot++) {
        const char *line = atomic_load(&running[slot].request_line), *file = atomic_load(&running[slot].entry_file);
        if (atomic_load(&running[slot].reply_plus_one) == 0 || !line) continue;
        say("was running: "), say(line), say(" of "), say(file ? file : "?"), say("\n");
    }
}

#if __has_feature(thread_sanitizer)
enum { HAS_BACKTRACE = 0 }; /* the sanitizer does not survive how the runtime starts its backtrace program */
#else
enum { HAS_BACKTRACE = 1 };
#endif

static void on_fatal_signal(int number, siginfo_t *info, void *context) {
    struct sigaction *before = NULL;
    int none = 0;
    if (swsgi_copy) { /* a process that an application has forked ends alone, and no request with it */
        signal(number, SIG_DFL);
        pthread_kill(pthread_self(), number);
        return;
    }
    swsgi_look_escape();
    if (!atomic_compare_exchange_strong(&crashed_thread, &none, gettid())) {
        if (none != gettid()) for (;;) pause(); /* another thread is reporting; the process ends with it */
        signal(number, SIG_DFL); /* reporting itself has failed: the same instruction ends the process */
        return;
    }
    record[signal_offset] = (unsigned char)number;
    send(control_socket, record, record_length, MSG_NOSIGNAL | MSG_DONTWAIT);
    swsgi_running_shut_down();
    stop_waiting_threads();
    swsgi_running_shut_down();
    say_what_was_running();
    for (int i = 0; i < FATAL_COUNT; i++)
        if (fatal[i] == number) before = &former[i];
    if (HAS_BACKTRACE && before && before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN) {
        prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* the backtrace program looks into this process */
        signal(SIGALRM, SIG_DFL);
        alarm(backtrace_limit);
        if (before->sa_flags & SA_SIGINFO) before->sa_sigaction(number, info, context);
        else before->sa_handler(number);
    }
    prctl(PR_SET_DUMPABLE, dump_directory[0] && chdir(dump_directory) == 0, 0, 0, 0);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    signal(number, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    pthread_kill(pthread_self(), number); /* to this thread, so that nothing after this line runs */
    _exit(128 + number);
}

int swsgi_crash_handlers_install(int control, const void *bytes, size_t length, size_t offset, unsigned limit_seconds) {
    struct sigaction action = {.sa_sigaction = on_fatal_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    if (length > RECORD_MAX || offset >= length) return -EINVAL;
    memcpy(record, bytes, length);
    record_length = length, signal_offset = offset, control_socket = control, backtrace_limit = limit_seconds;
    /* The runtime's backtrace reads memory that may not be there, in a thread that inherits this mask, and counts on seeing
       the fault: with fatal signals blocked that would end the process at once. */
    sigfillset(&action.sa_mask);
    for (int i = 0; i < FATAL_COUNT; i++) sigdelset(&action.sa_mask, fatal[i]);
    for (int i = 0; i < FATAL_COUNT; i++)
        if (sigaction(fatal[i], &action, &former[i]) < 0) return -errno;
    return 0;
}

int swsgi_copy;

/* Only the forking thread is there, and it may be in any function: nothing but calls that are safe in a signal handler. */
static void on_fork(void) {
    swsgi_copy = 1;
    for (size_t slot = 0, limit = atomic_load(&running_limit); slot < limit; slot++) {
        int reply = atomic_exchange(&running[slot].reply_plus_one, 0);
        if (reply > 0) close(reply - 1);
    }
}

int swsgi_forks_watch(void) { return -pthread_atfork(NULL, NULL, on_fork); }

void swsgi_crash_dumps(const char *directory) {
    if (strlen(directory) < sizeof dump_directory) strcpy(dump_directory, directory);
}

void swsgi_running_set(size_t slot, int reply, const char *entry_file, const char *request_line) {
    if (slot >= SWSGI_RUNNING_MAX) return;
    atomic_store(&running[slot].entry_file, entry_file);
    atomic_store(&running[slot].request_line, request_line);
    atomic_store(&running[slot].reply_plus_one, reply + 1);
    size_t limit = atomic_load(&running_limit);
    while (slot >= limit && !atomic_compare_exchange_weak(&running_limit, &limit, slot + 1)) {}
}

/* Either the thread or the crash handler gets the socket: the first of the two. */
static int take_back(size_t slot, int state) {
    int reply = slot < SWSGI_RUNNING_MAX ? atomic_load(&running[slot].reply_plus_one) : 0;
    if (reply <= 0) return reply != ENDED_BY_CRASH;
    return atomic_compare_exchange_strong(&running[slot].reply_plus_one, &reply, state);
}

int swsgi_running_hand_over(size_t slot) { return take_back(slot, HANDED_OVER); }

int swsgi_running_end(size_t slot) {
    int is_own = take_back(slot, 0);
    if (slot >= SWSGI_RUNNING_MAX) return is_own;
    atomic_store(&running[slot].reply_plus_one, 0);
    atomic_store(&running[slot].entry_file, NULL);
    atomic_store(&running[slot].request_line, NULL);
    return is_own;
}

int swsgi_running_line(size_t slot, char *line, size_t capacity) {
    if (slot >= SWSGI_RUNNING_MAX || atomic_load(&running[slot].reply_plus_one) == 0) return 0;
    const char *text = atomic_load(&running[slot].request_line);
    struct iovec to = {line, capacity - 1}, from = {(void *)(uintptr_t)text, capacity - 1};
    ssize_t length = text ? process_vm_readv(getpid(), &to, 1, &from, 1, 0) : 0;
    line[length > 0 ? length : 0] = 0;
    return 1;
}

void swsgi_waiting_set(size_t slot, int thread) {
    if (slot >= SWSGI_RUNNING_MAX) return;
    atomic_store(&running[slot].waiting, thread);
    size_t limit = atomic_load(&running_limit);
    while (slot >= limit && !atomic_compare_exchange_weak(&running_limit, &limit, slot + 1)) {}
}

void swsgi_running_copy(size_t slot, char *entry_file, char *request_line, void (*copy)(char *, const char *)) {
    copy(entry_file, slot < SWSGI_RUNNING_MAX ? atomic_load(&running[slot].entry_file) : NULL);
    copy(request_line, slot < SWSGI_RUNNING_MAX ? atomic_load(&running[slot].request_line) : NULL);
}

int swsgi_has_crashed(void) { return atomic_load(&crashed_thread) != 0; }

int swsgi_signal_stack_install(void) {
    stack_t stack = {.ss_size = SIGNAL_STACK_SIZE};
    stack.ss_sp = mmap(NULL, SIGNAL_STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack.ss_sp == MAP_FAILED) return -errno;
    return sigaltstack(&stack, NULL) < 0 ? -errno : 0;
}
