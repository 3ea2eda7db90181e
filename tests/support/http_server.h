#ifndef SUPPORT_HTTP_SERVER_H
#define SUPPORT_HTTP_SERVER_H

// A real HTTP server on a free loopback port that answers by a script: the n-th request gets the
// n-th step, and all after the last step get the last.
//
// It serves any number of connections from one thread; a request is read whole before it is
// answered.  The bytes of a reply are sent as they stand, so a script can lie about its length.
// Ownership: the steps are borrowed until http_server_stop.
// Threads: the questions may be asked while it runs.

#include <stddef.h>

enum http_server_then {
    HTTP_SERVER_KEEP,  // the connection stays open
    HTTP_SERVER_CLOSE, // closed behind the reply
    HTTP_SERVER_RESET, // cut by RST behind the reply
    HTTP_SERVER_HANG,  // nothing more is sent until the server stops
};

struct http_server_step {
    const char *reply; // head and body; NULL: none.  "{port}" becomes the server's port.
    size_t reply_size; // 0: up to the NUL
    enum http_server_then then;
    int echo; // instead of a reply: 200 with the request itself, head and body, as text/plain
};

struct http_server;

struct http_server *http_server_start(const struct http_server_step *steps, size_t count);
void http_server_stop(struct http_server *server);
int http_server_port(const struct http_server *server);
// "http://127.0.0.1:PORT"
const char *http_server_url(const struct http_server *server);
size_t http_server_request_count(struct http_server *server);
size_t http_server_connection_count(struct http_server *server);
// The n-th request, head and body, NUL-terminated; lives until http_server_stop.  NULL: there was
// none.
const char *http_server_request(struct http_server *server, size_t index);

#endif
