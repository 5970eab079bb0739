// The least that a server can do: one thread, epoll, one read and one write for each request, the same page for all of them.
// What others cost is told in multiples of it. It is also the origin that the proxies fetch from.
//
//     floor PORT FILE     answers every request on 127.0.0.1:PORT with the bytes of FILE
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { most_connections = 65536, buffer_size = 8192, most_events = 128 };

struct connection {
    size_t length;
    char bytes[buffer_size];
};

static struct connection *connections[most_connections];
static char answer[1 << 20];
static size_t answer_length;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void read_answer(const char *path) {
    static char page[1 << 19];
    FILE *file = fopen(path, "r");
    if (!file) fail(path);
    size_t length = fread(page, 1, sizeof page, file);
    fclose(file);
    int head = snprintf(answer, sizeof answer,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"
                        "x-amzn-RequestId: 9899e897-7d51-4429-bb78-b49a91dd5493\r\n"
                        "Date: Mon, 24 Nov 2025 12:00:00 GMT\r\nContent-Length: %zu\r\n\r\n",
                        length);
    memcpy(answer + head, page, length);
    answer_length = (size_t)head + length;
}

// The bytes of the request that `bytes` begin with, 0 if more must come.
static size_t request_length(const char *bytes, size_t length) {
    const char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = (size_t)(end - bytes) + 4, content = 0;
    for (const char *line = bytes; line < end; line++) {
        line = memchr(line, '\n', (size_t)(end - line));
        if (!line) break;
        if (strncasecmp(line + 1, "content-length:", 15) == 0) content = strtoul(line + 16, NULL, 10);
    }
    return length < head + content ? 0 : head + content;
}

static void drop(int descriptor) {
    close(descriptor);
    free(connections[descriptor]);
    connections[descriptor] = NULL;
}

static void serve(int descriptor) {
    struct connection *connection = connections[descriptor];
    ssize_t count = read(descriptor, connection->bytes + connection->length, buffer_size - connection->length);
    if (count <= 0) return drop(descriptor);
    connection->length += (size_t)count;
    size_t start = 0, length;
    while ((length = request_length(connection->bytes + start, connection->length - start)) > 0) {
        start += length;
        // The page fits into a socket's buffer, so a short write means that the client has gone.
        if (write(descriptor, answer, answer_length) != (ssize_t)answer_length) return drop(descriptor);
    }
    if (start == 0 && connection->length == buffer_size) return drop(descriptor);
    memmove(connection->bytes, connection->bytes + start, connection->length - start);
    connection->length -= start;
}

static void greet(int listener, int poller) {
    int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (descriptor < 0) return;
    if (descriptor >= most_connections || !(connections[descriptor] = calloc(1, sizeof(struct connection)))) {
        close(descriptor);
        return;
    }
    int one = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: floor PORT FILE\n");
        return 2;
    }
    read_answer(arguments[2]);
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
    if (listen(listener, 4096) != 0) fail("listen");

    int poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[most_events];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(poller, events, most_events, -1);
        for (int index = 0; index < ready; index++) {
            if (events[index].data.fd == listener) greet(listener, poller);
            else serve(events[index].data.fd);
        }
    }
}
