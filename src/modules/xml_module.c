// xml.decode and xml.encode: elements as dicts (libs.md §10.1).
//
// Nothing outside the text is read: no network, no DTD, no entity but the five of XML itself.
#include "base/number.h"
#include "base/text.h"
#include "modules/argument.h"
#include "modules/builtins.h"
#include "modules/host.h"
#include "modules/xml_api.h"

// --- decode --------------------------------------------------------------------------------------

static str text_of(const xmlChar *text) {
    return str_from((const char *)text);
}

// "prefix:name", or the name alone.
static str qualified(struct arena *arena, const xmlNs *ns, const xmlChar *name) {
    if (ns == NULL || ns->prefix == NULL) {
        return text_of(name);
    }
    return str_format(arena, STR_FORMAT ":" STR_FORMAT, STR_ARGS(text_of(ns->prefix)),
                      STR_ARGS(text_of(name)));
}

// The text directly in a node or attribute, its pieces joined.
static str own_text(struct arena *arena, const xmlNode *first) {
    struct text out;
    text_init(&out, arena);
    for (const xmlNode *node = first; node != NULL; node = node->next) {
        if ((node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) &&
            node->content != NULL) {
            text_add(&out, text_of(node->content));
        }
    }
    return text_str(&out);
}

static bool set_key(struct star_thread *thread, star_value dict, str name, star_value value) {
    const star_value key = star_string_intern(thread, name.data, name.size);
    return !star_is_error(key) && !star_is_error(value) && star_dict_set(thread, dict, key, value);
}

static bool add_attribute(struct star_thread *thread, struct arena *arena, star_value dict,
                          str name, str value) {
    const str key = str_format(arena, "@" STR_FORMAT, STR_ARGS(name));
    return set_key(thread, dict, key, value_from_str(thread, value));
}

// Attributes, and the namespaces that the element declares: encode gives the same document again.
static bool add_attributes(struct star_thread *thread, struct arena *arena, star_value dict,
                           const xmlNode *node) {
    for (const xmlNs *ns = node->nsDef; ns != NULL; ns = ns->next) {
        const str name = ns->prefix == NULL ? STR("xmlns")
                                            : str_format(arena, "xmlns:" STR_FORMAT,
                                                         STR_ARGS(text_of(ns->prefix)));
        if (!add_attribute(thread, arena, dict, name, text_of(ns->href))) {
            return false;
        }
    }
    for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
        if (!add_attribute(thread, arena, dict, qualified(arena, attr->ns, attr->name),
                           own_text(arena, attr->children))) {
            return false;
        }
    }
    return true;
}

static star_value element_value(struct star_thread *thread, struct arena *arena,
                                const xmlNode *node);

// A second child of one name makes a list of both.
static bool add_child(struct star_thread *thread, struct arena *arena, star_value dict,
                      const xmlNode *child) {
    const str name = qualified(arena, child->ns, child->name);
    const star_value value = element_value(thread, arena, child);
    const star_value key = star_string_intern(thread, name.data, name.size);
    if (star_is_error(value) || star_is_error(key)) {
        return false;
    }
    const star_value earlier = star_dict_get(thread, dict, key);
    if (star_is_unset(earlier)) {
        return star_dict_set(thread, dict, key, value);
    }
    if (star_kind(earlier) == STAR_KIND_LIST) {
        return star_list_append(thread, earlier, value);
    }
    const star_value both[] = {earlier, value};
    const star_value list = star_list(thread, both, 2);
    return !star_is_error(list) && star_dict_set(thread, dict, key, list);
}

static star_value element_value(struct star_thread *thread, struct arena *arena,
                                const xmlNode *node) {
    const xmlNode *child = node->children;
    while (child != NULL && child->type != XML_ELEMENT_NODE) {
        child = child->next;
    }
    const str text = own_text(arena, node->children);
    if (child == NULL && node->properties == NULL && node->nsDef == NULL) {
        return value_from_str(thread, text);
    }
    const star_value dict = star_dict(thread);
    if (star_is_error(dict) || !add_attributes(thread, arena, dict, node)) {
        return STAR_ERROR;
    }
    for (; child != NULL; child = child->next) {
        if (child->type == XML_ELEMENT_NODE && !add_child(thread, arena, dict, child)) {
            return STAR_ERROR;
        }
    }
    const str beside = str_trim(text);
    if (beside.size > 0 && !set_key(thread, dict, STR("#text"), value_from_str(thread, beside))) {
        return STAR_ERROR;
    }
    return dict;
}

static star_value document_value(struct star_thread *thread, const struct xml_api *api,
                                 xmlDoc *document) {
    SCRATCH(scratch);
    const xmlNode *root = api->xmlDocGetRootElement(document);
    if (document->intSubset != NULL || document->extSubset != NULL) {
        return star_fail(thread, "xml.decode: a document type (DTD) is not accepted");
    }
    if (root == NULL) {
        return star_fail(thread, "xml.decode: the document has no element");
    }
    const star_value dict = star_dict(thread);
    const star_value value = element_value(thread, &scratch, root);
    if (star_is_error(dict) ||
        !set_key(thread, dict, qualified(&scratch, root->ns, root->name), value)) {
        return STAR_ERROR;
    }
    return dict;
}

static star_value syntax_error(struct star_thread *thread, const struct xml_api *api,
                               xmlParserCtxt *context) {
    SCRATCH(scratch);
    const xmlError *problem = api->xmlCtxtGetLastError(context);
    if (problem == NULL || problem->message == NULL) {
        return star_fail(thread, "xml.decode: not XML");
    }
    const str message = str_trim(str_from(problem->message));
    return star_fail(thread, "xml.decode: line %d: " STR_FORMAT, problem->line, STR_ARGS(message));
}

static star_value xml_decode(struct star_thread *thread, const struct star_call_info *call) {
    struct xml_api api;
    struct error err;
    str text;
    if (!argument_bytes(thread, "xml.decode", call->arguments[0], &text)) {
        return STAR_ERROR;
    }
    if (str_is_empty(text)) {
        return star_fail(thread, "xml.decode: the text is empty");
    }
    if (text.size > INT32_MAX) {
        return star_fail(thread, "xml.decode: the text is larger than 2 GiB");
    }
    if (xml_api_load(&api, &err) != ERROR_NONE) {
        return modules_fail(thread, &err);
    }
    xmlParserCtxt *context = api.xmlNewParserCtxt();
    if (context == NULL) {
        return star_fail(thread, "xml.decode: out of memory");
    }
    xmlDoc *document =
        api.xmlCtxtReadMemory(context, text.data, int_from_size(text.size), NULL, NULL,
                              XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    const star_value value = document == NULL ? syntax_error(thread, &api, context)
                                              : document_value(thread, &api, document);
    if (document != NULL) {
        api.xmlFreeDoc(document);
    }
    api.xmlFreeParserCtxt(context);
    return value;
}

// --- encode --------------------------------------------------------------------------------------

struct xml_writer {
    struct star_thread *thread;
    struct text out;
    int depth;
};

static bool write_escaped(struct xml_writer *writer, str text) {
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.data[i];
        if ((unsigned char)c < ' ' && c != '\n' && c != '\t' && c != '\r') {
            (void)star_fail(writer->thread, "xml.encode: XML cannot hold the character U+%04X",
                            (unsigned)(unsigned char)c);
            return false;
        }
        switch (c) {
        case '&':
            text_add(&writer->out, STR("&amp;"));
            break;
        case '<':
            text_add(&writer->out, STR("&lt;"));
            break;
        case '>':
            text_add(&writer->out, STR("&gt;"));
            break;
        case '"':
            text_add(&writer->out, STR("&quot;"));
            break;
        case '\r':
            text_add(&writer->out, STR("&#13;"));
            break;
        default:
            text_add_char(&writer->out, c);
        }
    }
    return true;
}

static bool is_name(str name) {
    for (size_t i = 0; i < name.size; i++) {
        const char c = name.data[i];
        const bool starts = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                            c == ':' || (unsigned char)c >= 0x80;
        const bool goes_on = (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (!starts && !(goes_on && i > 0)) {
            return false;
        }
    }
    return name.size > 0;
}

static bool check_name(struct xml_writer *writer, star_value key, str *name) {
    if (star_kind(key) != STAR_KIND_STRING) {
        (void)argument_wrong(writer->thread, "xml.encode: key", key, "string");
        return false;
    }
    (void)value_text(key, name);
    const str bare = str_starts_with(*name, STR("@")) ? str_from_offset(*name, 1) : *name;
    if (!str_equal(*name, STR("#text")) && !is_name(bare)) {
        (void)star_fail(writer->thread, "xml.encode: \"" STR_FORMAT "\" is not an XML name",
                        STR_ARGS(*name));
        return false;
    }
    return true;
}

// The text of a leaf: strings as they are, None empty, true and false small, the rest by str().
static bool write_leaf(struct xml_writer *writer, star_value value) {
    str text;
    if (star_is_none(value)) {
        return true;
    }
    if (star_kind(value) == STAR_KIND_BOOL) {
        text_add(&writer->out, star_truth(value) ? STR("true") : STR("false"));
        return true;
    }
    const star_value shown =
        star_kind(value) == STAR_KIND_STRING ? value : star_str(writer->thread, value);
    return !star_is_error(shown) && value_text(shown, &text) && write_escaped(writer, text);
}

static bool write_element(struct xml_writer *writer, str name, star_value value);

// A child, or one a item of a list.
static bool write_children(struct xml_writer *writer, str name, star_value value) {
    if (star_kind(value) != STAR_KIND_LIST && star_kind(value) != STAR_KIND_TUPLE) {
        return write_element(writer, name, value);
    }
    for (size_t i = 0; i < star_length(value); i++) {
        const star_value item = star_item(writer->thread, value, i);
        if (star_is_error(item) || !write_element(writer, name, item)) {
            return false;
        }
    }
    return true;
}

static bool write_attributes(struct xml_writer *writer, star_value dict) {
    size_t position = 0;
    star_value key = STAR_NONE;
    star_value value = STAR_NONE;
    while (star_dict_next(writer->thread, dict, &position, &key, &value)) {
        str name;
        if (!check_name(writer, key, &name)) {
            return false;
        }
        if (str_starts_with(name, STR("@"))) {
            text_format(&writer->out, " " STR_FORMAT "=\"", STR_ARGS(str_from_offset(name, 1)));
            if (!write_leaf(writer, value)) {
                return false;
            }
            text_add_char(&writer->out, '"');
        }
    }
    return !star_is_error(key);
}

static bool write_content(struct xml_writer *writer, star_value dict) {
    size_t position = 0;
    star_value key = STAR_NONE;
    star_value value = STAR_NONE;
    while (star_dict_next(writer->thread, dict, &position, &key, &value)) {
        str name;
        if (!check_name(writer, key, &name)) {
            return false;
        }
        const bool done = str_equal(name, STR("#text"))     ? write_leaf(writer, value)
                          : str_starts_with(name, STR("@")) ? true
                                                            : write_children(writer, name, value);
        if (!done) {
            return false;
        }
    }
    return !star_is_error(key);
}

static bool write_element(struct xml_writer *writer, str name, star_value value) {
    enum { DEPTH_MAX = 256 };
    if (writer->depth == DEPTH_MAX) {
        (void)star_fail(writer->thread, "xml.encode: nested deeper than %d", DEPTH_MAX);
        return false;
    }
    const bool is_dict = star_kind(value) == STAR_KIND_DICT;
    writer->depth++;
    text_format(&writer->out, "<" STR_FORMAT, STR_ARGS(name));
    if (is_dict && !write_attributes(writer, value)) {
        return false;
    }
    const size_t open = writer->out.size;
    text_add_char(&writer->out, '>');
    if (!(is_dict ? write_content(writer, value) : write_leaf(writer, value))) {
        return false;
    }
    if (writer->out.size == open + 1) {
        writer->out.size = open;
        text_add(&writer->out, STR("/>"));
    } else {
        text_format(&writer->out, "</" STR_FORMAT ">", STR_ARGS(name));
    }
    writer->depth--;
    return true;
}

static star_value xml_encode(struct star_thread *thread, const struct star_call_info *call) {
    SCRATCH(scratch);
    const star_value dict = call->arguments[0];
    struct xml_writer writer = {.thread = thread};
    str root = STR("doc");
    star_value content = dict;
    size_t position = 0;
    star_value key = STAR_NONE;
    star_value value = STAR_NONE;
    text_init(&writer.out, &scratch);
    if (star_kind(dict) != STAR_KIND_DICT) {
        return argument_wrong(thread, "xml.encode", dict, "dict");
    }
    if (star_length(dict) == 1) {
        if (!star_dict_next(thread, dict, &position, &key, &value) ||
            !check_name(&writer, key, &root)) {
            return STAR_ERROR;
        }
        const bool is_element =
            root.data[0] != '@' && root.data[0] != '#' && star_kind(value) != STAR_KIND_LIST;
        content = is_element ? value : dict;
        root = is_element ? root : STR("doc");
    }
    if (!write_element(&writer, root, content)) {
        return STAR_ERROR;
    }
    return value_from_str(thread, text_str(&writer.out));
}

static const struct star_parameter decode_parameters[] = {{"s", STAR_REQUIRED, 0}};
static const struct star_parameter encode_parameters[] = {{"d", STAR_REQUIRED, 0}};
static const struct star_builtin functions[] = {
    STAR_BUILTIN("xml.decode", xml_decode, decode_parameters),
    STAR_BUILTIN("xml.encode", xml_encode, encode_parameters),
};
const struct builtin_table xml_builtins = {"xml", functions, ARRAY_COUNT(functions)};
