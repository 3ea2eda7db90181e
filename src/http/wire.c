#include "http/wire.h"

#include "base/context.h"
#include "base/environment.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "http/curl_api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct http_wire {
    const struct context *context;
    struct curl_api api; // filled when `multi` is there
    CURLM *multi;        // owns the open connections
    CURL *easy;
};

// One request under way: what the callbacks of libcurl see.
struct transfer {
    struct http_wire *wire;
    const struct http_wire_request *request;
    struct http_response *response;
    size_t body_capacity;
    bool too_large;
    char message[CURL_ERROR_SIZE];
};

struct http_wire *http_wire_new(const struct context *context) {
    struct http_wire *wire = memory_alloc(sizeof(*wire));
    *wire = (struct http_wire){.context = context};
    return wire;
}

void http_wire_free(struct http_wire *wire) {
    if (wire == NULL) {
        return;
    }
    if (wire->multi != NULL) {
        wire->api.curl_easy_cleanup(wire->easy);
        (void)wire->api.curl_multi_cleanup(wire->multi);
    }
    free(wire);
}

static enum error_code wire_open(struct http_wire *wire, struct error *err) {
    if (wire->multi != NULL) {
        return ERROR_NONE;
    }
    TRY(curl_api_load(&wire->api, err));
    CURL *easy = wire->api.curl_easy_init();
    CURLM *multi = wire->api.curl_multi_init();
    if (easy == NULL || multi == NULL) {
        return error_set(err, ERROR_INTERNAL, "libcurl is out of memory");
    }
    wire->easy = easy;
    wire->multi = multi;
    return ERROR_NONE;
}

// A header value as UTF-8: servers may send Latin-1.
static str header_text(struct arena *arena, str bytes) {
    if (str_is_utf8(bytes)) {
        return str_copy(arena, bytes);
    }
    struct text out;
    text_init(&out, arena);
    for (size_t i = 0; i < bytes.size; i++) {
        const unsigned char c = (unsigned char)bytes.data[i];
        if (c < 0x80) {
            text_add_char(&out, (char)c);
        } else {
            text_add_char(&out, (char)(0xc0 | (c >> 6)));
            text_add_char(&out, (char)(0x80 | (c & 0x3f)));
        }
    }
    return text_str(&out);
}

// A status line begins the headers anew: interim answers (100, 103) and proxies' come first.
static void begin_answer(struct http_response *response, str line) {
    response->headers.count = 0;
    response->reason = (str){0};
    const size_t space = str_find_char(line, ' ');
    const str rest = space == SIZE_MAX ? (str){0} : str_from_offset(line, space + 1);
    int64_t status = 0;
    response->status = str_parse_int64(str_slice(rest, 0, 3), &status) ? (int)status : 0;
    response->reason = header_text(&response->arena, str_trim(str_from_offset(rest, 3)));
}

static size_t on_header(char *data, size_t size, size_t count, void *user) {
    struct transfer *transfer = user;
    struct http_response *response = transfer->response;
    const str line = str_trim((str){data, size * count});
    const size_t colon = str_find_char(line, ':');
    if (str_starts_with(line, STR("HTTP/"))) {
        begin_answer(response, line);
    } else if (colon != SIZE_MAX && colon > 0) {
        const str name = http_header_canonical(&response->arena, str_slice(line, 0, colon));
        const str value = str_trim(str_from_offset(line, colon + 1));
        http_headers_add(&response->arena, &response->headers, name,
                         header_text(&response->arena, value));
    }
    return size * count;
}

// Room for `size` more bytes and the padding.  The first room is what Content-Length announces,
// within reason: a server's word is no ground to take gigabytes.
static void reserve_body(struct transfer *transfer, size_t size) {
    enum { FIRST_MIN = 16 << 10, FIRST_MAX = 16 << 20 };
    struct http_response *response = transfer->response;
    const size_t needed = response->body_size + size + HTTP_BODY_PADDING;
    if (needed <= transfer->body_capacity) {
        return;
    }
    size_t capacity = transfer->body_capacity * 2;
    if (capacity == 0) {
        curl_off_t announced = 0;
        (void)transfer->wire->api.curl_easy_getinfo(transfer->wire->easy,
                                                    CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
        capacity = announced > FIRST_MIN && announced <= FIRST_MAX
                       ? (size_t)announced + HTTP_BODY_PADDING
                       : FIRST_MIN;
    }
    capacity = capacity < needed ? needed : capacity;
    response->body = memory_realloc(response->body, capacity);
    transfer->body_capacity = capacity;
}

static size_t on_body(char *data, size_t size, size_t count, void *user) {
    struct transfer *transfer = user;
    struct http_response *response = transfer->response;
    const size_t bytes = size * count;
    if (bytes > transfer->request->body_size_max - response->body_size) {
        transfer->too_large = true;
        return 0; // ends the transfer
    }
    reserve_body(transfer, bytes);
    memcpy(response->body + response->body_size, data, bytes);
    response->body_size += bytes;
    memset(response->body + response->body_size, 0, HTTP_BODY_PADDING);
    return bytes;
}

#define SET(option, value) ((void)api->curl_easy_setopt(easy, option, value))

static bool first_variable(struct environment *environment, const char *const *names, str *value) {
    for (size_t i = 0; names[i] != NULL; i++) {
        if (environment_get(environment, str_from(names[i]), value) && value->size > 0) {
            return true;
        }
    }
    return false;
}

// Our environment, not the process's, names the proxies: .env counts too.  Our own machine is never
// reached through one.
static void set_proxy(const struct http_wire *wire, const struct curl_api *api,
                      struct arena *scratch, str url) {
    static const char *const for_https[] = {"HTTPS_PROXY", "https_proxy", NULL};
    static const char *const for_http[] = {"HTTP_PROXY", "http_proxy", NULL};
    static const char *const for_none[] = {"NO_PROXY", "no_proxy", NULL};
    CURL *easy = wire->easy;
    struct environment *environment = wire->context->environment;
    struct url parts;
    struct error ignored;
    str proxy = {0};
    str except = {0};
    SET(CURLOPT_PROXY, "");
    if (environment == NULL || url_parse(url, &parts, &ignored) != ERROR_NONE ||
        str_equal(parts.host, STR("localhost")) || str_starts_with(parts.host, STR("127.")) ||
        str_equal(parts.host, STR("::1")) ||
        !first_variable(environment, url_is_https(&parts) ? for_https : for_http, &proxy)) {
        return;
    }
    SET(CURLOPT_PROXY, str_to_cstring(scratch, proxy));
    (void)first_variable(environment, for_none, &except);
    SET(CURLOPT_NOPROXY, str_to_cstring(scratch, except));
}

static void set_method(const struct http_wire *wire, const struct http_wire_request *request,
                       struct arena *scratch) {
    const struct curl_api *api = &wire->api;
    CURL *easy = wire->easy;
    const bool sends = request->has_body || str_equal(request->method, STR("POST")) ||
                       str_equal(request->method, STR("PUT")) ||
                       str_equal(request->method, STR("PATCH"));
    if (str_equal(request->method, STR("HEAD")) && !request->has_body) {
        SET(CURLOPT_NOBODY, 1L);
    } else if (request->upload == NULL && sends) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDS, request->body.size > 0 ? request->body.data : "");
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
    } else if (request->upload == NULL) {
        SET(CURLOPT_HTTPGET, 1L);
    }
    SET(CURLOPT_CUSTOMREQUEST, str_to_cstring(scratch, request->method));
}

static void set_tls(const struct http_wire *wire, const struct http_wire_request *request,
                    struct arena *scratch) {
    const struct curl_api *api = &wire->api;
    CURL *easy = wire->easy;
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (request->cert.size > 0) {
        SET(CURLOPT_SSLCERT, str_to_cstring(scratch, request->cert));
        SET(CURLOPT_SSLKEY, str_to_cstring(scratch, request->key));
    }
    if (request->ca.size > 0) {
        SET(CURLOPT_CAINFO, str_to_cstring(scratch, request->ca));
    }
}

static void set_transfer(struct transfer *transfer, struct arena *scratch) {
    const struct curl_api *api = &transfer->wire->api;
    CURL *easy = transfer->wire->easy;
    const struct http_wire_request *request = transfer->request;
    SET(CURLOPT_URL, str_to_cstring(scratch, request->url));
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS,
        (long)(request->timeout_us / 1000 > 0 ? request->timeout_us / 1000 : 1));
    SET(CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    SET(CURLOPT_ERRORBUFFER, transfer->message);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, transfer);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, transfer);
    set_proxy(transfer->wire, api, scratch, request->url);
    set_method(transfer->wire, request, scratch);
    set_tls(transfer->wire, request, scratch);
}

// "Name: value"; a field without a value is written "Name;", else libcurl would take it away.
// Expect and Content-Type are taken away when we did not set them: libcurl adds its own.
static struct curl_slist *header_lines(const struct http_wire *wire,
                                       const struct http_wire_request *request,
                                       struct arena *scratch) {
    const struct curl_api *api = &wire->api;
    struct curl_slist *lines = api->curl_slist_append(NULL, "Expect:");
    if (request->upload == NULL && !http_headers_has(&request->headers, STR("Content-Type"))) {
        lines = api->curl_slist_append(lines, "Content-Type:");
    }
    if (!http_headers_has(&request->headers, STR("Accept"))) {
        lines = api->curl_slist_append(lines, "Accept: */*");
    }
    for (size_t i = 0; i < request->headers.count; i++) {
        const struct http_header *header = &request->headers.items[i];
        const str line = header->value.size == 0
                             ? str_format(scratch, STR_FORMAT ";", STR_ARGS(header->name))
                             : str_format(scratch, STR_FORMAT ": " STR_FORMAT,
                                          STR_ARGS(header->name), STR_ARGS(header->value));
        lines = api->curl_slist_append(lines, str_to_cstring(scratch, line));
    }
    return lines;
}

// The content type of the part, from the extension of its name.
static const char *upload_content_type(str filename) {
    static const struct {
        str extension;
        const char *type;
    } types[] = {
        {STR_INIT(".csv"), "text/csv"},
        {STR_INIT(".json"), "application/json"},
        {STR_INIT(".jsonl"), "application/jsonl"},
        {STR_INIT(".ndjson"), "application/x-ndjson"},
        {STR_INIT(".txt"), "text/plain"},
        {STR_INIT(".xml"), "application/xml"},
        {STR_INIT(".html"), "text/html"},
        {STR_INIT(".pdf"), "application/pdf"},
        {STR_INIT(".png"), "image/png"},
        {STR_INIT(".jpg"), "image/jpeg"},
        {STR_INIT(".jpeg"), "image/jpeg"},
        {STR_INIT(".gif"), "image/gif"},
        {STR_INIT(".zip"), "application/zip"},
        {STR_INIT(".gz"), "application/gzip"},
        {STR_INIT(".parquet"), "application/vnd.apache.parquet"},
        {STR_INIT(".xlsx"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    };
    const size_t dot = str_find_last_char(filename, '.');
    for (size_t i = 0; dot != SIZE_MAX && i < ARRAY_COUNT(types); i++) {
        if (str_equal_nocase(str_from_offset(filename, dot), types[i].extension)) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}

static curl_mime *upload_parts(const struct http_wire *wire, const struct http_upload *upload,
                               struct arena *scratch) {
    const struct curl_api *api = &wire->api;
    curl_mime *mime = api->curl_mime_init(wire->easy);
    for (size_t i = 0; i < upload->fields.count; i++) {
        const struct url_param *field = &upload->fields.items[i];
        curl_mimepart *part = api->curl_mime_addpart(mime);
        (void)api->curl_mime_name(part, str_to_cstring(scratch, field->name));
        (void)api->curl_mime_data(part, field->value.size > 0 ? field->value.data : "",
                                  field->value.size);
    }
    curl_mimepart *file = api->curl_mime_addpart(mime);
    (void)api->curl_mime_name(file, str_to_cstring(scratch, upload->field));
    (void)api->curl_mime_filedata(file, str_to_cstring(scratch, upload->path));
    (void)api->curl_mime_filename(file, str_to_cstring(scratch, upload->filename));
    (void)api->curl_mime_type(file, upload->content_type.size > 0
                                        ? str_to_cstring(scratch, upload->content_type)
                                        : upload_content_type(upload->filename));
    return mime;
}

// Runs the transfer until it ends or the interrupt is raised: its descriptor is polled beside the
// sockets, so Ctrl-C does not wait for the server.
static enum error_code drive(struct http_wire *wire, CURLcode *result, struct error *err) {
    enum { POLL_MAX_MS = 1000 };
    const struct curl_api *api = &wire->api;
    struct interrupt *interrupt = wire->context->interrupt;
    struct curl_waitfd wake = {.fd = interrupt != NULL ? interrupt->wake_fd : -1,
                               .events = CURL_WAIT_POLLIN};
    const unsigned wake_count = wake.fd >= 0 ? 1 : 0;
    *result = CURLE_FAILED_INIT;
    for (;;) {
        int running = 0;
        CURLMcode code = api->curl_multi_perform(wire->multi, &running);
        if (code == CURLM_OK && running > 0) {
            if (interrupt_is_raised(interrupt)) {
                return error_set(err, ERROR_CANCELLED, "interrupted");
            }
            code = api->curl_multi_poll(wire->multi, &wake, wake_count, POLL_MAX_MS, NULL);
        }
        if (code != CURLM_OK) {
            return error_set(err, ERROR_INTERNAL, "libcurl: %s", api->curl_multi_strerror(code));
        }
        if (running == 0) {
            break;
        }
    }
    int left = 0;
    const CURLMsg *message = api->curl_multi_info_read(wire->multi, &left);
    if (message != NULL && message->msg == CURLMSG_DONE) {
        *result = message->data.result;
    }
    return ERROR_NONE;
}

static const char *socket_cause(long os_errno, const char *otherwise) {
    switch (os_errno) {
    case ECONNREFUSED:
        return "connection refused";
    case ECONNRESET:
    case EPIPE:
        return "connection reset";
    case EHOSTUNREACH:
    case ENETUNREACH:
        return "host unreachable";
    default:
        return otherwise;
    }
}

static enum error_code describe_failure(const struct transfer *transfer, CURLcode result,
                                        struct error *err) {
    const struct http_wire *wire = transfer->wire;
    long os_errno = 0;
    (void)wire->api.curl_easy_getinfo(wire->easy, CURLINFO_OS_ERRNO, &os_errno);
    if (transfer->too_large) {
        return error_set(err, ERROR_LIMIT, "the response is larger than %zu bytes",
                         transfer->request->body_size_max);
    }
    struct url url;
    if (result == CURLE_COULDNT_RESOLVE_HOST && url_parse(transfer->request->url, &url, err) == 0) {
        return error_set(err, ERROR_NETWORK, "cannot resolve host " STR_FORMAT, STR_ARGS(url.host));
    }
    if (result == CURLE_OPERATION_TIMEDOUT) {
        return error_set(err, ERROR_TIMEOUT, "timed out");
    }
    if (result == CURLE_COULDNT_CONNECT) {
        return error_set(err, ERROR_NETWORK, "%s", socket_cause(os_errno, "cannot connect"));
    }
    if (result == CURLE_PARTIAL_FILE ||
        (result == CURLE_RECV_ERROR && transfer->response->status)) {
        return error_set(err, ERROR_NETWORK, "the response was cut off after %zu bytes",
                         transfer->response->body_size);
    }
    if (result == CURLE_GOT_NOTHING) {
        return error_set(err, ERROR_NETWORK, "the server closed the connection without an answer");
    }
    if (result == CURLE_RECV_ERROR || result == CURLE_SEND_ERROR) {
        return error_set(err, ERROR_NETWORK, "%s", socket_cause(os_errno, "connection reset"));
    }
    const char *text =
        transfer->message[0] != '\0' ? transfer->message : wire->api.curl_easy_strerror(result);
    const bool file_failed = result == CURLE_READ_ERROR && transfer->request->upload != NULL;
    const bool setting = file_failed || result == CURLE_SSL_CERTPROBLEM ||
                         result == CURLE_SSL_CACERT_BADFILE || result == CURLE_URL_MALFORMAT;
    return error_set(err, setting ? ERROR_INVALID : ERROR_NETWORK, "%s", text);
}

enum error_code http_wire_send(struct http_wire *wire, const struct http_wire_request *request,
                               struct http_response *response, struct error *err) {
    TRY(wire_open(wire, err));
    SCRATCH(scratch);
    const struct curl_api *api = &wire->api;
    CURL *easy = wire->easy;
    struct transfer transfer = {.wire = wire, .request = request, .response = response};
    api->curl_easy_reset(easy);
    set_transfer(&transfer, &scratch);
    struct curl_slist *lines = header_lines(wire, request, &scratch);
    SET(CURLOPT_HTTPHEADER, lines);
    curl_mime *mime =
        request->upload != NULL ? upload_parts(wire, request->upload, &scratch) : NULL;
    if (mime != NULL) {
        SET(CURLOPT_MIMEPOST, mime);
    }
    CURLcode result = CURLE_OK;
    (void)api->curl_multi_add_handle(wire->multi, easy);
    enum error_code code = drive(wire, &result, err);
    (void)api->curl_multi_remove_handle(wire->multi, easy);
    if (code == ERROR_NONE && result != CURLE_OK) {
        code = describe_failure(&transfer, result, err);
    }
    api->curl_slist_free_all(lines);
    if (mime != NULL) {
        api->curl_mime_free(mime);
    }
    return code;
}
