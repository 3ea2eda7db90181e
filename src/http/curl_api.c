#include "http/curl_api.h"

enum error_code curl_api_load(struct curl_api *api, struct error *err) {
    static const char *const paths[] = {"libcurl.so.4", "libcurl.so", NULL};
    static const char *const names[] = {CURL_API(LIBRARY_NAME)};
    _Static_assert(sizeof(*api) == sizeof(names), "one pointer a name");
    TRY(library_load(paths, names, ARRAY_COUNT(names), api, err));
    if (api->curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return error_set(err, ERROR_INTERNAL, "libcurl cannot be initialised");
    }
    return ERROR_NONE;
}
