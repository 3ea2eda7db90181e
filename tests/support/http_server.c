#include "support/http_server.h"

#include "base/arena.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, REQUESTS_MAX = 4096, READ_SIZE = 64 << 10 };

struct http_server {
    const struct http_server_step *steps;
    size_t step_count;
    int listener;
    int stop_fd;
    int port;
    char url[64];
    pthread_t thread;
    int connections[CONNECTIONS_MAX]; // only the server's thread
    size_t connection_count;
    pthread_mutex_t lock;
    struct { // any thread, under `lock`
        char *requests[REQUESTS_MAX];
        size_t request_count;
        size_t accepted;
    } shared;
};

static void write_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        const ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return; // the client has left: its business
        }
        data += sent;
        size -= (size_t)sent;
    }
}

// How many bytes the request beginning in `data` has, or 0 while it is not whole.
static size_t request_size(str data) {
    const size_t head = str_find(data, STR("\r\n\r\n"));
    if (head == SIZE_MAX) {
        return 0;
    }
    SCRATCH(scratch);
    const str lower = str_to_lower(&scratch, str_slice(data, 0, head + 2));
    if (str_find(lower, STR("\r\ntransfer-encoding: chunked\r\n")) != SIZE_MAX) {
        const size_t end = str_find(str_from_offset(data, head + 4), STR("0\r\n\r\n"));
        return end == SIZE_MAX ? 0 : head + 4 + end + 5;
    }
    const size_t at = str_find(lower, STR("\r\ncontent-length: "));
    uint64_t length = 0;
    if (at != SIZE_MAX) {
        const str rest = str_from_offset(lower, at + 18);
        (void)!str_parse_uint64(str_slice(rest, 0, str_find_char(rest, '\r')), &length);
    }
    const size_t size = head + 4 + (size_t)length;
    return data.size >= size ? size : 0;
}

// Reads one whole request; false when the client closed.
static bool read_request(int fd, struct text *request) {
    for (;;) {
        if (request_size(text_str(request)) > 0) {
            return true;
        }
        const ssize_t got = recv(fd, text_reserve(request, READ_SIZE), READ_SIZE, 0);
        if (got <= 0) {
            return false;
        }
        text_advance(request, (size_t)got);
    }
}

static const struct http_server_step *note_request(struct http_server *server, str request) {
    char *copy = memory_alloc(request.size + 1);
    memcpy(copy, request.data, request.size);
    copy[request.size] = '\0';
    (void)pthread_mutex_lock(&server->lock);
    const size_t index = server->shared.request_count++;
    if (index < REQUESTS_MAX) {
        server->shared.requests[index] = copy;
    } else {
        free(copy);
    }
    (void)pthread_mutex_unlock(&server->lock);
    return &server->steps[index < server->step_count ? index : server->step_count - 1];
}

static void reply(struct http_server *server, int fd, const struct http_server_step *step,
                  str request) {
    SCRATCH(scratch);
    if (step->echo) {
        const str head = str_format(&scratch,
                                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                                    "Content-Length: %zu\r\n\r\n",
                                    request.size);
        write_all(fd, head.data, head.size);
        write_all(fd, request.data, request.size);
    } else if (step->reply != NULL && step->reply_size > 0) {
        write_all(fd, step->reply, step->reply_size);
    } else if (step->reply != NULL) {
        const str port = str_format(&scratch, "%d", server->port);
        const str text = str_replace_all(&scratch, str_from(step->reply), STR("{port}"), port);
        write_all(fd, text.data, text.size);
    }
}

// false when the connection is over.
static bool serve(struct http_server *server, int fd) {
    SCRATCH(scratch);
    struct text request;
    text_init(&request, &scratch);
    if (!read_request(fd, &request)) {
        return false;
    }
    const struct http_server_step *step = note_request(server, text_str(&request));
    reply(server, fd, step, text_str(&request));
    if (step->then == HTTP_SERVER_RESET) {
        const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }
    return step->then == HTTP_SERVER_KEEP || step->then == HTTP_SERVER_HANG;
}

static void accept_one(struct http_server *server) {
    const int fd = accept(server->listener, NULL, NULL);
    if (fd < 0) {
        return;
    }
    if (server->connection_count == CONNECTIONS_MAX) {
        (void)close(fd);
        return;
    }
    server->connections[server->connection_count++] = fd;
    (void)pthread_mutex_lock(&server->lock);
    server->shared.accepted++;
    (void)pthread_mutex_unlock(&server->lock);
}

static void *run(void *self) {
    struct http_server *server = self;
    for (;;) {
        struct pollfd polls[CONNECTIONS_MAX + 2] = {{.fd = server->stop_fd, .events = POLLIN},
                                                    {.fd = server->listener, .events = POLLIN}};
        const size_t count = server->connection_count;
        for (size_t i = 0; i < count; i++) {
            polls[2 + i] = (struct pollfd){.fd = server->connections[i], .events = POLLIN};
        }
        if (poll(polls, 2 + count, -1) < 0 || polls[0].revents != 0) {
            return NULL;
        }
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {
            const int fd = server->connections[i];
            if (polls[2 + i].revents == 0 || serve(server, fd)) {
                server->connections[kept++] = fd;
            } else {
                (void)close(fd);
            }
        }
        server->connection_count = kept;
        if (polls[1].revents != 0) {
            accept_one(server);
        }
    }
}

struct http_server *http_server_start(const struct http_server_step *steps, size_t count) {
    struct http_server *server = memory_alloc(sizeof(*server));
    memset(server, 0, sizeof(*server));
    server->steps = steps;
    server->step_count = count;
    (void)pthread_mutex_init(&server->lock, NULL);
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    union {
        struct sockaddr_in in;
        struct sockaddr any;
    } address = {.in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address.in);
    if (bind(server->listener, &address.any, size) != 0 || listen(server->listener, 64) != 0 ||
        getsockname(server->listener, &address.any, &size) != 0) {
        abort(); // no loopback: nothing can be tested
    }
    server->port = ntohs(address.in.sin_port);
    (void)snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d", server->port);
    (void)pthread_create(&server->thread, NULL, run, server);
    return server;
}

void http_server_stop(struct http_server *server) {
    const uint64_t one = 1;
    (void)!write(server->stop_fd, &one, sizeof(one));
    (void)pthread_join(server->thread, NULL);
    for (size_t i = 0; i < server->connection_count; i++) {
        (void)close(server->connections[i]);
    }
    for (size_t i = 0; i < server->shared.request_count && i < REQUESTS_MAX; i++) {
        free(server->shared.requests[i]);
    }
    (void)close(server->listener);
    (void)close(server->stop_fd);
    (void)pthread_mutex_destroy(&server->lock);
    free(server);
}

int http_server_port(const struct http_server *server) {
    return server->port;
}

const char *http_server_url(const struct http_server *server) {
    return server->url;
}

size_t http_server_request_count(struct http_server *server) {
    (void)pthread_mutex_lock(&server->lock);
    const size_t count = server->shared.request_count;
    (void)pthread_mutex_unlock(&server->lock);
    return count;
}

size_t http_server_connection_count(struct http_server *server) {
    (void)pthread_mutex_lock(&server->lock);
    const size_t count = server->shared.accepted;
    (void)pthread_mutex_unlock(&server->lock);
    return count;
}

const char *http_server_request(struct http_server *server, size_t index) {
    (void)pthread_mutex_lock(&server->lock);
    const char *request = index < REQUESTS_MAX ? server->shared.requests[index] : NULL;
    (void)pthread_mutex_unlock(&server->lock);
    return request;
}
