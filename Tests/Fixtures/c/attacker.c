/* A hostile bundle: it tries what the request's X-Do header says on other processes and on the system, and answers what came of it.

   Commands, separated by blanks: signal:PID ptrace:PID memory:PID descriptor:PID (take its descriptor 3) limit:PID,
   open:PATH (and read a byte) list:DIRECTORY write:PATH, become:root, run:PATH (answers its output), descriptors: (the open
   numbers), flood: (the group's queue, from its far end), chroot: (the usual way out), enter: (every descriptor as a directory),
   find:TEXT (how often its reverse is in this process's memory), crash:. Each answers a line "COMMAND RESULT". */
#define _GNU_SOURCE
#include "plain_text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { QUEUE = 3, LAST = 1024, TEXT = 8192, PIECE = 65536 };

static char answer[TEXT];
static size_t length;

static void say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    length += (size_t)vsnprintf(answer + length, sizeof answer - length, format, arguments);
    if (length >= sizeof answer) length = sizeof answer - 1;
    va_end(arguments);
}

static const char *result(long value) { return value < 0 ? strerrorname_np(errno) : "done"; }

static const char *peek(const char *path) {
    char byte;
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const char *text = result(file < 0 ? file : pread(file, &byte, 1, 0));
    if (file >= 0) close(file);
    return text;
}

static const char *list(const char *path) {
    DIR *directory = opendir(path);
    if (!directory) return strerrorname_np(errno);
    closedir(directory);
    return "done";
}

static const char *trace(pid_t pid) {
    long attached = ptrace(PTRACE_SEIZE, pid, 0, 0);
    if (attached == 0) ptrace(PTRACE_DETACH, pid, 0, 0);
    return result(attached);
}

static const char *steal(pid_t pid) {
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    return process < 0 ? strerrorname_np(errno) : result(syscall(SYS_pidfd_getfd, process, QUEUE, 0));
}

static const char *become_root(void) {
    gid_t none = 0;
    if (setuid(0) == 0 || setresuid(0, 0, 0) == 0 || seteuid(0) == 0) return "uid";
    if (setgid(0) == 0 || setresgid(0, 0, 0) == 0 || setgroups(1, &none) == 0) return "gid";
    return strerrorname_np(errno);
}

static void run(const char *program) {
    int ends[2];
    char output[512];
    if (pipe(ends) < 0) return say("run %s\n", strerrorname_np(errno));
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO), close(ends[0]), close(ends[1]);
        execl(program, program, "/proc/self/fd", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    for (ssize_t got; (got = read(ends[0], output, sizeof output - 1)) > 0;) {
        for (ssize_t i = 0; i < got; i++)
            if (output[i] == '\n') output[i] = ' ';
        output[got] = 0;
        say("run %s\n", output);
    }
    close(ends[0]);
    waitpid(pid, NULL, 0);
}

static void flood(void) {
    static char message[1000];
    long sent = 0;
    while (sent < 100000 && send(QUEUE, message, sizeof message, MSG_DONTWAIT | MSG_NOSIGNAL) > 0) sent++;
    say("flood %s\n", sent < 100000 ? strerrorname_np(errno) : "done");
}

static void leave_root(void) {
    const char *left = result(chroot("."));
    for (int i = 0; i < 64; i++)
        if (chdir("..") < 0) break;
    say("chroot %s passwd %s shadow %s\n", left, peek("../../../../etc/passwd"), peek("etc/shadow"));
}

static void enter_descriptors(void) {
    int entered = 0;
    for (int number = 0; number < LAST; number++) entered += fchdir(number) == 0;
    say("enter %d\n", entered);
}

static size_t matches(const char *bytes, size_t count, const char *reversed, size_t size) {
    size_t found = 0;
    for (size_t start = 0; start + size <= count; start++) {
        size_t i = 0;
        while (i < size && bytes[start + i] == reversed[size - 1 - i]) i++;
        found += i == size;
    }
    return found;
}

/* By a system call, as some of what is mapped can't be read. */
static void find(const char *reversed) {
    static char piece[PIECE + 256];
    char line[1024];
    size_t found = 0, size = strlen(reversed), read = 0;
    unsigned long start, end;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx r", &start, &end) != 2) continue;
        for (unsigned long at = start; at < end; at += PIECE) {
            size_t wanted = end - at < sizeof piece ? end - at : sizeof piece;
            struct iovec here = {piece, wanted}, there = {(void *)at, wanted};
            if (at <= (unsigned long)piece && (unsigned long)piece < at + wanted) continue;
            ssize_t got = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
            if (got > 0) found += matches(piece, (size_t)got, reversed, size), read += (size_t)got;
        }
    }
    if (maps) fclose(maps);
    say("find %zu in %s\n", found, read > 1 << 20 ? "all" : "nothing");
}

static void descriptors(void) {
    struct stat facts;
    say("descriptors");
    for (int number = 0; number < LAST; number++)
        if (fstat(number, &facts) == 0) say(" %d", number);
    say("\n");
}

static void attempt(const char *command, const char *argument) {
    pid_t pid = (pid_t)atol(argument);
    char there[16];
    struct iovec here = {there, sizeof there}, place = {(void *)0x400000, sizeof there};
    struct rlimit limit = {0, 0};
    if (!strcmp(command, "signal")) say("signal %s\n", result(kill(pid, SIGTERM)));
    else if (!strcmp(command, "ptrace")) say("ptrace %s\n", trace(pid));
    else if (!strcmp(command, "memory")) say("memory %s\n", result(process_vm_readv(pid, &here, 1, &place, 1, 0)));
    else if (!strcmp(command, "descriptor")) say("descriptor %s\n", steal(pid));
    else if (!strcmp(command, "limit")) say("limit %s\n", result(prlimit(pid, RLIMIT_CPU, &limit, NULL)));
    else if (!strcmp(command, "open")) say("open %s\n", peek(argument));
    else if (!strcmp(command, "list")) say("list %s\n", list(argument));
    else if (!strcmp(command, "write")) say("write %s\n", result(open(argument, O_WRONLY | O_CLOEXEC)));
    else if (!strcmp(command, "become")) say("become %s\n", become_root());
    else if (!strcmp(command, "run")) run(argument);
    else if (!strcmp(command, "flood")) flood();
    else if (!strcmp(command, "chroot")) leave_root();
    else if (!strcmp(command, "enter")) enter_descriptors();
    else if (!strcmp(command, "find")) find(argument);
    else if (!strcmp(command, "descriptors")) descriptors();
    else if (!strcmp(command, "crash")) raise(SIGSEGV);
    else say("%s ?\n", command);
}

static int respond(void *context, const swsgi_host *host, swsgi_exchange *exchange) {
    static char text[TEXT];
    swsgi_text todo, reason = {"OK", 2};
    char *next = text, *command;
    (void)context;
    length = 0;
    if (!host->environ_get(exchange, "HTTP_X_DO", 9, &todo) || todo.length >= sizeof text) return 1;
    memcpy(text, todo.bytes, todo.length);
    text[todo.length] = 0;
    while ((command = strsep(&next, " "))) {
        char *argument = strchr(command, ':');
        if (argument) *argument++ = 0;
        attempt(command, argument ? argument : "");
    }
    if (host->start_response(exchange, 200, reason, &plain_text, 1) < 0) return 1;
    return host->write(exchange, answer, length) < 0;
}

const swsgi_application *application(const swsgi_host *host) {
    static const swsgi_application table = {
        .abi_version = SWSGI_ABI_VERSION, .size = sizeof(swsgi_application), .respond = respond};
    (void)host;
    return &table;
}
