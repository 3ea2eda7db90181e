#ifndef MODULES_XML_API_H
#define MODULES_XML_API_H

// The functions of libxml2 that we call, found when a script decodes XML for the first time (design
// D4).
//
// Errors: ERROR_NOT_FOUND when libxml2 is not installed.
// Threads: any; libxml2 keeps its state by thread and context.

#include "base/error.h"
#include "base/library.h"

#include <libxml/parser.h>

#define XML_API(X)                                                                                 \
    X(xmlInitParser)                                                                               \
    X(xmlNewParserCtxt)                                                                            \
    X(xmlFreeParserCtxt)                                                                           \
    X(xmlCtxtReadMemory)                                                                           \
    X(xmlCtxtGetLastError)                                                                         \
    X(xmlDocGetRootElement)                                                                        \
    X(xmlFreeDoc)

struct xml_api {
    XML_API(LIBRARY_FIELD)
};

MUST_USE enum error_code xml_api_load(struct xml_api *api, struct error *err);

#endif
