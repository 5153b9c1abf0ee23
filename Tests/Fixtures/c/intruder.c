/* A hostile bundle: it writes what the request's X-Do header says past its host, on the reply socket and the control socket.

   Commands, separated by blanks: reply:HEX control:HEX (write), times:N (repeat the next write), for-ever: (the same, until
   it fails), descriptors:N (attach so many to the next write), close:FD (-1: the reply socket), sleep:MILLISECONDS, answer: (200 OK). */
#define _GNU_SOURCE
#include "plain_text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONTROL = 4, FIRST = 5, LAST = 1024, TEXT = 8192, FDS = 253 };

/* The only stream socket that is ours: so the group has one thread. */
static int reply_socket(void) {
    for (int number = FIRST; number < LAST; number++) {
        int type = 0;
        socklen_t size = sizeof type;
        if (getsockopt(number, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM) return number;
    }
    return -1;
}

static size_t unhex(const char *text, unsigned char *bytes) {
    size_t count = 0;
    for (char pair[3] = {0}; text[0] && text[1]; text += 2) {
        memcpy(pair, text, 2);
        bytes[count++] = (unsigned char)strtoul(pair, NULL, 16);
    }
    return count;
}

static ssize_t put(int socket, const unsigned char *bytes, size_t count, int descriptors) {
    static union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * FDS)];
    } control;
    struct iovec part = {(void *)(size_t)bytes, count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptors) {
        int numbers[FDS];
        for (int i = 0; i < descriptors; i++) numbers[i] = STDIN_FILENO;
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)descriptors);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET, header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)descriptors);
        memcpy(CMSG_DATA(header), numbers, sizeof(int) * (size_t)descriptors);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

static int respond(void *context, const swsgi_host *host, swsgi_exchange *exchange) {
    static unsigned char bytes[TEXT];
    static char text[TEXT];
    swsgi_text todo, reason = {"OK", 2};
    long times = 1, descriptors = 0;
    char *next = text, *command;
    (void)context;

    if (!host->environ_get(exchange, "HTTP_X_DO", 9, &todo) || todo.length >= sizeof text) return 1;
    memcpy(text, todo.bytes, todo.length);
    text[todo.length] = 0;
    while ((command = strsep(&next, " "))) {
        char *argument = strchr(command, ':');
        if (!argument) return 1;
        *argument++ = 0;
        long number = atol(argument);
        if (!strcmp(command, "times")) times = number;
        else if (!strcmp(command, "for-ever")) times = -1;
        else if (!strcmp(command, "descriptors")) descriptors = number;
        else if (!strcmp(command, "sleep")) usleep((useconds_t)number * 1000);
        else if (!strcmp(command, "close")) {
            if (number < 0) shutdown(reply_socket(), SHUT_RDWR);
            else close((int)number);
        } else if (!strcmp(command, "answer")) {
            if (host->start_response(exchange, 200, reason, &plain_text, 1) < 0) return 1;
            return host->write(exchange, "ok\n", 3) < 0;
        } else {
            int socket = strcmp(command, "control") ? reply_socket() : CONTROL;
            size_t count = unhex(argument, bytes);
            while (times-- != 0 && put(socket, bytes, count, (int)descriptors) > 0) {}
            times = 1, descriptors = 0;
        }
    }
    return 1;
}

const swsgi_application *application(const swsgi_host *host) {
    static const swsgi_application table = {
        .abi_version = SWSGI_ABI_VERSION, .size = sizeof(swsgi_application), .respond = respond};
    (void)host;
    return &table;
}
