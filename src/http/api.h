#ifndef HTTP_API_H
#define HTTP_API_H

// Who gets an API's credentials: its own host, hosts that its `auth` lists, and nobody else, also
// not by way of a redirect (libs.md §9).
//
// Threads: any; the list of hosts that were warned about has a lock.

#include "http/http.h"

// What the request to `target` sends: the call's own credentials, the API's, or none.  Warns once a
// host that does not get the API's.
const struct http_auth *http_api_credentials(struct http_api *api,
                                             const struct http_request *request,
                                             const struct url *target);

// Whether a redirect from `from` to `to` may keep credentials: the same origin, or the same host
// from plain http to https on their own ports.
bool http_redirect_is_trusted(const struct url *from, const struct url *to);

// What may travel to a foreign host: a header we do not know may hold a key, whatever its name.
bool http_header_is_harmless(str name);

#endif
