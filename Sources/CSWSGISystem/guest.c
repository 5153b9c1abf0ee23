/* The crash report of a process that belongs to somebody else: httpd's child, in embedded mode. Signal handlers: hence C. */
#define _GNU_SOURCE
#include "swsgi_system.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* What the Swift runtime would handle. Those of them that are none of a crash's stay as they were. */
static const int handled[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP, SIGQUIT};
enum { HANDLED = sizeof handled / sizeof handled[0], FATAL = HANDLED - 1 };

static struct sigaction owners[HANDLED], runtimes[FATAL];
static struct guest { atomic_int log_plus_one; _Atomic(const char *) entry_file, request_line; } guests[SWSGI_RUNNING_MAX];
static atomic_size_t guest_limit;
static atomic_int crashed_thread;
static unsigned backtrace_limit;
static char crash_code[16], exit_code[16];
static pid_t guest_process;
/* Static, as a thread's other storage may have to be allocated when it is first used: not in a signal handler. */
static __thread size_t own_slot __attribute__((tls_model("initial-exec"))) = SWSGI_RUNNING_MAX;

#if __has_feature(thread_sanitizer)
enum { HAS_BACKTRACE = 0 };
#else
enum { HAS_BACKTRACE = 1 };
#endif

struct line {
    size_t length;
    char text[4096];
};

/* What comes from the client must not look like lines of others. */
static void add(struct line *line, const char *text) {
    for (; *text && line->length < sizeof line->text - 1; text++)
        line->text[line->length++] = *text >= ' ' && *text < 0x7f ? *text : '?';
}

static void add_number(struct line *line, int number) {
    char digits[12], *start = digits + sizeof digits - 1;
    *start = 0;
    do *--start = (char)('0' + number % 10);
    while (number /= 10);
    add(line, start);
}

static void report(const char *code, const char *how, size_t slot, const char *what) {
    const char *file = atomic_load(&guests[slot].entry_file), *request = atomic_load(&guests[slot].request_line);
    int log = atomic_load(&guests[slot].log_plus_one) - 1;
    struct line line = {.length = 0};
    if (!file || !request) return;
    add(&line, code), add(&line, ": embedded mode: "), add(&line, how), add(&line, " ends httpd's child ");
    add_number(&line, getpid()), add(&line, what), add(&line, request), add(&line, "\" of "), add(&line, file);
    line.text[line.length++] = '\n';
    ssize_t ignored = write(log < 0 ? STDERR_FILENO : log, line.text, line.length);
    (void)ignored;
}

/* Of a thread that runs a request: the others, and httpd's own end, are none of an application's; nor is a process that it forks. */
static void on_exit_called(void) {
    if (own_slot >= SWSGI_RUNNING_MAX || getpid() != guest_process) return;
    report(exit_code, "exit()", own_slot, ", called by \"");
    for (size_t slot = 0, limit = atomic_load(&guest_limit); slot < limit; slot++)
        if (slot != own_slot) report(exit_code, "exit()", slot, ", which also ran \"");
}

static void on_crash(int number, siginfo_t *info, void *context) {
    int none = 0, index = 0, dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    if (getpid() != guest_process) { /* a process that an application has forked is not httpd's child */
        signal(number, SIG_DFL);
        pthread_kill(pthread_self(), number);
        return;
    }
    while (index < FATAL - 1 && handled[index] != number) index++;
    if (!atomic_compare_exchange_strong(&crashed_thread, &none, gettid())) {
        if (none != gettid()) for (;;) pause(); /* another thread is reporting; the process ends with it */
        signal(number, SIG_DFL); /* reporting itself has failed: the same instruction ends the process */
        return;
    }
    const char *abbreviated = sigabbrev_np(number);
    char name[16] = "SIG";
    strncpy(name + 3, abbreviated ? abbreviated : "?", sizeof name - 4);
    if (own_slot < SWSGI_RUNNING_MAX) report(crash_code, name, own_slot, ", which ran \"");
    for (size_t slot = 0, limit = atomic_load(&guest_limit); slot < limit; slot++)
        if (slot != own_slot) report(crash_code, name, slot, ", which also ran \"");
    void (*before)(int) = runtimes[index].sa_handler;
    if (HAS_BACKTRACE && before != SIG_DFL && before != SIG_IGN) {
        prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* the backtrace program looks into this process */
        signal(SIGALRM, SIG_DFL);
        alarm(backtrace_limit);
        if (runtimes[index].sa_flags & SA_SIGINFO) runtimes[index].sa_sigaction(number, info, context);
        else before(number);
        alarm(0);
        prctl(PR_SET_DUMPABLE, dumpable == 1, 0, 0, 0);
    }
    /* What httpd does in such a case, its handler does, and the rest is the kernel's. */
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    sigaction(number, &owners[index], NULL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    pthread_kill(pthread_self(), number);
    signal(number, SIG_DFL);
    pthread_kill(pthread_self(), number);
    _exit(128 + number);
}

void swsgi_guest_open(void) {
    for (int i = 0; i < HANDLED; i++) {
        sigaction(handled[i], NULL, &owners[i]);
        /* The runtime leaves a handler alone that stands there already. */
        signal(handled[i], SIG_DFL);
    }
}

void swsgi_guest_close(unsigned limit_seconds, const char *code, const char *code_of_exit) {
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    backtrace_limit = limit_seconds;
    strncpy(crash_code, code, sizeof crash_code - 1);
    strncpy(exit_code, code_of_exit, sizeof exit_code - 1);
    guest_process = getpid();
    atexit(on_exit_called);
    sigfillset(&action.sa_mask);
    /* The runtime's backtrace reads memory that may not be there, and counts on seeing the fault. */
    for (int i = 0; i < FATAL; i++) sigdelset(&action.sa_mask, handled[i]);
    for (int i = 0; i < FATAL; i++) sigaction(handled[i], &action, &runtimes[i]);
    sigaction(handled[FATAL], &owners[FATAL], NULL);
}

void swsgi_guest_set(size_t slot, int log, const char *entry_file, const char *request_line) {
    if (slot >= SWSGI_RUNNING_MAX) return;
    own_slot = entry_file ? slot : SWSGI_RUNNING_MAX;
    atomic_store_explicit(&guests[slot].log_plus_one, log + 1, memory_order_relaxed);
    atomic_store_explicit(&guests[slot].entry_file, entry_file, memory_order_relaxed);
    atomic_store_explicit(&guests[slot].request_line, request_line, memory_order_release);
    size_t limit = atomic_load_explicit(&guest_limit, memory_order_relaxed);
    while (slot >= limit && !atomic_compare_exchange_weak(&guest_limit, &limit, slot + 1)) {}
}
