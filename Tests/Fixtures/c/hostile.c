/* Writes frames of its own to the reply socket: the path says which. */
#define _GNU_SOURCE
#include "swsgi.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int is(const swsgi_host *host, swsgi_exchange *exchange, const char *wanted) {
    swsgi_text value;
    return host->environ_get(exchange, "PATH_INFO", 9, &value) && value.length == strlen(wanted)
        && memcmp(value.bytes, wanted, value.length) == 0;
}

/* The only stream among the sockets of a daemon process with one request thread. */
static int reply_socket(void) {
    for (int fd = 3; fd < 256; fd++) {
        int type = 0;
        socklen_t length = sizeof type;
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM) return fd;
    }
    return -1;
}

static void send_all(int reply, const void *bytes, size_t length, const int *files, size_t count) {
    char control[CMSG_SPACE(8 * sizeof(int))];
    struct iovec part = {(void *)bytes, length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    memset(control, 0, sizeof control);
    if (count) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), files, count * sizeof(int));
    }
    sendmsg(reply, &message, MSG_NOSIGNAL);
}

static size_t frame(char *place, uint8_t kind, const void *payload, uint32_t length) {
    memset(place, 0, 8);
    place[0] = (char)kind;
    memcpy(place + 4, &length, 4);
    if (length) memcpy(place + 8, payload, length);
    return 8 + length;
}

static int respond(void *context, const swsgi_host *host, swsgi_exchange *exchange) {
    /* Status 200, no headers, no reason, no length. */
    static const unsigned char head[16] = {200, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255};
    int64_t part[2] = {0, 100};
    char bytes[256];
    int reply = reply_socket(), pipes[2], files[5];
    size_t length = frame(bytes, 2, head, sizeof head), count = 1;
    (void)context;
    if (pipe2(pipes, O_CLOEXEC)) return 1;
    files[0] = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    if (is(host, exchange, "/none")) count = 0;
    else if (is(host, exchange, "/pipe")) files[0] = pipes[0];
    else if (is(host, exchange, "/directory")) files[0] = open("/", O_RDONLY | O_CLOEXEC);
    else if (is(host, exchange, "/device")) files[0] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    else if (is(host, exchange, "/negative")) part[0] = -1;
    else if (is(host, exchange, "/empty")) part[1] = 0;
    else if (is(host, exchange, "/beyond")) part[0] = INT64_MAX - 200;
    else if (is(host, exchange, "/overflow")) part[0] = INT64_MAX - 50;
    else if (is(host, exchange, "/many")) {
        for (int i = 0; i < 3; i++) send_all(reply, "\5\0\0\0\1\0\0\0\7", 9, (int[]){files[0], files[0]}, 2);
        count = 0;
    }
    if (is(host, exchange, "/early")) length = 0;
    length += frame(bytes + length, 8, part, sizeof part);
    send_all(reply, bytes, length, files, count);
    return 1;
}

const swsgi_application *application(const swsgi_host *host) {
    static const swsgi_application table = {
        .abi_version = SWSGI_ABI_VERSION, .size = sizeof(swsgi_application), .respond = respond};
    (void)host;
    return &table;
}
