#ifndef HTTP_CURL_API_H
#define HTTP_CURL_API_H

// The functions of libcurl that we call, found when the first request is sent (design D4).
//
// Errors: ERROR_NOT_FOUND when libcurl is not installed.
// Threads: any; loading again gives the same library.  libcurl from 7.84 on initialises itself
// safely from several threads.

#include "base/error.h"
#include "base/library.h"

#define CURL_DISABLE_TYPECHECK 1
#include <curl/curl.h>

#define CURL_API(X)                                                                                \
    X(curl_global_init)                                                                            \
    X(curl_easy_init)                                                                              \
    X(curl_easy_cleanup)                                                                           \
    X(curl_easy_reset)                                                                             \
    X(curl_easy_setopt)                                                                            \
    X(curl_easy_getinfo)                                                                           \
    X(curl_easy_strerror)                                                                          \
    X(curl_multi_init)                                                                             \
    X(curl_multi_cleanup)                                                                          \
    X(curl_multi_add_handle)                                                                       \
    X(curl_multi_remove_handle)                                                                    \
    X(curl_multi_perform)                                                                          \
    X(curl_multi_poll)                                                                             \
    X(curl_multi_info_read)                                                                        \
    X(curl_multi_strerror)                                                                         \
    X(curl_slist_append)                                                                           \
    X(curl_slist_free_all)                                                                         \
    X(curl_mime_init)                                                                              \
    X(curl_mime_free)                                                                              \
    X(curl_mime_addpart)                                                                           \
    X(curl_mime_name)                                                                              \
    X(curl_mime_data)                                                                              \
    X(curl_mime_filedata)                                                                          \
    X(curl_mime_filename)                                                                          \
    X(curl_mime_type)

struct curl_api {
    CURL_API(LIBRARY_FIELD)
};

MUST_USE enum error_code curl_api_load(struct curl_api *api, struct error *err);

#endif
