#include "modules/xml_api.h"

enum error_code xml_api_load(struct xml_api *api, struct error *err) {
    static const char *const paths[] = {"libxml2.so.2", "libxml2.so.16", NULL};
    static const char *const names[] = {XML_API(LIBRARY_NAME)};
    _Static_assert(sizeof(*api) == sizeof(names), "one pointer a name");
    TRY(library_load(paths, names, ARRAY_COUNT(names), api, err));
    api->xmlInitParser();
    return ERROR_NONE;
}
