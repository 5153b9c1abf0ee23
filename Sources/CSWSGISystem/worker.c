#define _GNU_SOURCE
#include "swsgi_system.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

static pthread_t control_thread;
static const int control_signals[] = {SIGTERM, SIGINT, SIGUSR1, SIGXCPU, SIGHUP, SIGUSR2};
enum { SIGNAL_COUNT = sizeof control_signals / sizeof control_signals[0] };
static atomic_uint pending;

void swsgi_process_title(int argument_count, char **arguments, const char *title) {
    char *start = arguments[0], *end = start;
    size_t variables = 0;
    for (int i = 0; i < argument_count; i++)
        if (arguments[i] == end) end += strlen(arguments[i]) + 1;
    for (; environ[variables]; variables++)
        if (environ[variables] == end) end += strlen(environ[variables]) + 1;
    char **moved = malloc((variables + 1) * sizeof *moved);
    if (!moved) return;
    for (size_t i = 0; i < variables; i++)
        if (!(moved[i] = strdup(environ[i]))) return;
    moved[variables] = NULL;
    environ = moved;
    memset(start, 0, (size_t)(end - start));
    strncpy(start, title, (size_t)(end - start) - 1);
    prctl(PR_SET_NAME, title);
}

void swsgi_line_buffering(void) { setvbuf(stdout, NULL, _IOLBF, BUFSIZ); }

void swsgi_end(int status) {
    fflush(NULL);
    _exit(status);
}

static void on_nothing(int number) { (void)number; }

/* An application may have reset the handlers of all signals: then the wake signal would end the process. */
static int keep_wake_handler(void) {
    struct sigaction current, nothing = {.sa_handler = on_nothing};
    if (sigaction(SIGRTMIN + 1, NULL, &current) == 0 && current.sa_handler == on_nothing) return 0;
    return sigaction(SIGRTMIN + 1, &nothing, NULL);
}

static void on_signal(int number) {
    for (unsigned i = 0; i < SIGNAL_COUNT; i++)
        if (control_signals[i] == number) atomic_fetch_or(&pending, 1u << i);
    if (pthread_equal(pthread_self(), control_thread)) return;
    keep_wake_handler();
    pthread_kill(control_thread, SIGRTMIN + 1);
}

int swsgi_control_thread(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    static int has_handlers;
    control_thread = pthread_self();
    /* Only once: when the process crashes while another thread takes over, the runtime has handlers of its own in their place. */
    if (has_handlers++) return 0;
    signal(SIGPIPE, on_nothing); /* and not SIG_IGN, which programs that the application starts would have, too */
    for (unsigned i = 0; i < SIGNAL_COUNT; i++)
        if (sigaction(control_signals[i], &action, NULL)) return -errno;
    return keep_wake_handler() ? -errno : 0;
}

int swsgi_control_wait(int descriptor, int milliseconds) {
    struct pollfd poll = {.fd = descriptor, .events = POLLIN};
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGRTMIN + 1);
    for (unsigned i = 0; i < SIGNAL_COUNT; i++) sigaddset(&blocked, control_signals[i]);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    sigdelset(&before, SIGRTMIN + 1);
    for (unsigned i = 0; i < SIGNAL_COUNT; i++) sigdelset(&before, control_signals[i]);
    int ready = atomic_load(&pending) ? -1 : ppoll(&poll, 1, milliseconds < 0 ? NULL : &time, &before);
    for (unsigned i = 0; i < SIGNAL_COUNT; i++)
        if (atomic_fetch_and(&pending, ~(1u << i)) & 1u << i) return control_signals[i];
    return ready > 0 ? 0 : ready < 0 ? -EINTR : -ETIMEDOUT;
}

void swsgi_wake(int thread) {
    keep_wake_handler();
    /* By number and not by pthread_t: the thread may just have ended. */
    if (thread) syscall(SYS_tgkill, getpid(), thread, SIGRTMIN + 1);
    else pthread_kill(control_thread, SIGRTMIN + 1);
}

int swsgi_thread_number(void) { return gettid(); }
