/* Leaves processes behind, and turns a deaf ear to signals: what a bundle can do to its own process with plain system calls. */
#define _GNU_SOURCE
#include "plain_text.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int is(swsgi_text path, const char *end) {
    size_t length = strlen(end);
    return path.length == length && !memcmp(path.bytes, end, length);
}

/* A child that keeps every descriptor it has inherited. */
static pid_t stay(void) {
    pid_t pid = fork();
    if (!pid) {
        sleep(300);
        _exit(0);
    }
    return pid;
}

/* A child of nobody, in a session of its own: what daemon(3) makes. */
static pid_t detach(void) {
    int ends[2];
    pid_t pid = -1, middle;
    if (pipe(ends)) return -1;
    middle = fork();
    if (!middle) {
        setsid();
        pid = stay();
        ssize_t ignored = write(ends[1], &pid, sizeof pid);
        (void)ignored;
        _exit(0);
    }
    if (read(ends[0], &pid, sizeof pid) != sizeof pid) pid = -1;
    close(ends[0]), close(ends[1]);
    return pid;
}

/* As many children as there may be. */
static int bomb(void) {
    int count = 0;
    while (count < 500 && stay() > 0) count++;
    return count;
}

static void turn_deaf(void) {
    sigset_t all;
    for (int number = 1; number < 32; number++) signal(number, SIG_IGN);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
}

/* A child that crashes; how it ended. */
static int crash(void) {
    int status = 0;
    pid_t pid = fork();
    if (!pid) abort();
    waitpid(pid, &status, 0);
    return WTERMSIG(status);
}

/* What a program sees that is started as every program is: the lines of its signals. */
static int answer_signals(const swsgi_host *host, swsgi_exchange *exchange) {
    char text[4096];
    FILE *stream = popen("grep ^Sig /proc/self/status", "r");
    size_t length = stream ? fread(text, 1, sizeof text, stream) : 0;
    if (stream) pclose(stream);
    if (host->start_response(exchange, 200, (swsgi_text){"OK", 2}, &plain_text, 1) < 0) return 1;
    return host->write(exchange, text, length) < 0;
}

static int respond(void *context, const swsgi_host *host, swsgi_exchange *exchange) {
    swsgi_text path = {"", 0};
    char body[64];
    int number = 0;
    (void)context;
    host->environ_get(exchange, "PATH_INFO", 9, &path);
    if (is(path, "/stay")) number = stay();
    if (is(path, "/detach")) number = detach();
    if (is(path, "/bomb")) number = bomb();
    if (is(path, "/deaf")) turn_deaf();
    if (is(path, "/deaf-for-ever")) {
        turn_deaf();
        for (;;) sleep(60);
    }
    if (is(path, "/pthread-exit")) pthread_exit(NULL);
    if (is(path, "/crash-of-a-child")) number = crash();
    if (is(path, "/signals")) return answer_signals(host, exchange);
    if (is(path, "/fork")) {
        number = (int)fork();
        /* The new process is the first to answer. */
        if (number) sleep(1);
    }
    if (is(path, "/close")) for (int fd = 3; fd < 1024; fd++) close(fd);
    if (host->start_response(exchange, 200, (swsgi_text){"OK", 2}, &plain_text, 1) < 0) return 1;
    int length = snprintf(body, sizeof body, "%d\n", number);
    return host->write(exchange, body, (size_t)length) < 0;
}

const swsgi_application *application(const swsgi_host *host) {
    static const swsgi_application table = {
        .abi_version = SWSGI_ABI_VERSION, .size = sizeof(swsgi_application), .respond = respond};
    (void)host;
    return &table;
}
