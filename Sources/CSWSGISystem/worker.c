#define _GNU_SOURCE
#include "swsgi_system.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

static pthread_t control_thread;
static volatile sig_atomic_t stop_signal;

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

static void on_stop(int number) {
    stop_signal = number;
    if (!pthread_equal(pthread_self(), control_thread)) pthread_kill(control_thread, number);
}

static void on_nothing(int number) { (void)number; }

int swsgi_control_thread(void) {
    struct sigaction stop = {.sa_handler = on_stop, .sa_flags = SA_RESTART}, nothing = {.sa_handler = on_nothing};
    control_thread = pthread_self();
    signal(SIGPIPE, SIG_IGN);
    if (sigaction(SIGTERM, &stop, NULL) || sigaction(SIGINT, &stop, NULL) || sigaction(SIGUSR1, &stop, NULL)
        || sigaction(SIGRTMIN + 1, &nothing, NULL)) return -errno;
    nothing.sa_flags = SA_RESTART;
    if (sigaction(SIGHUP, &nothing, NULL) || sigaction(SIGUSR2, &nothing, NULL)) return -errno;
    return 0;
}

int swsgi_control_wait(int descriptor, int milliseconds) {
    struct pollfd poll = {.fd = descriptor, .events = POLLIN};
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    sigset_t stopping, before;
    sigemptyset(&stopping);
    sigaddset(&stopping, SIGTERM), sigaddset(&stopping, SIGINT), sigaddset(&stopping, SIGUSR1);
    sigaddset(&stopping, SIGRTMIN + 1);
    pthread_sigmask(SIG_BLOCK, &stopping, &before);
    for (size_t i = 0; i < 4; i++) sigdelset(&before, (int[]){SIGTERM, SIGINT, SIGUSR1, SIGRTMIN + 1}[i]);
    int ready = stop_signal ? -1 : ppoll(&poll, 1, milliseconds < 0 ? NULL : &time, &before);
    int number = stop_signal;
    stop_signal = 0;
    return number ? number : ready > 0 ? 0 : ready < 0 ? -EINTR : -ETIMEDOUT;
}

void swsgi_wake(int thread) {
    /* By number and not by pthread_t: the thread may just have ended. */
    if (thread) syscall(SYS_tgkill, getpid(), thread, SIGRTMIN + 1);
    else pthread_kill(control_thread, SIGRTMIN + 1);
}

int swsgi_thread_number(void) { return gettid(); }
