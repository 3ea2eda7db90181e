#ifndef SQL_AST_NODE_H
#define SQL_AST_NODE_H

// Reading DuckDB's serialised syntax trees: small helpers over yyjson.  For use inside sql/ only.
//
// Numbers are read raw, as text: a tree goes back to DuckDB digit by digit.

#include "sql/ast.h"

#include <yyjson.h>

// The document, or NULL (a bug of DuckDB's or of ours).  Free with AST_DOCUMENT or yyjson_doc_free.
yyjson_doc *ast_document(str json);
void ast_document_cleanup(yyjson_doc **document);
#define AST_DOCUMENT yyjson_doc *CLEANUP(ast_document_cleanup)

// The query node of the first statement; NULL when there is none.
yyjson_val *ast_query(yyjson_doc *document);

// The member as text, borrowed from the document; empty when it is absent or no text.
str ast_text(yyjson_val *node, const char *key);
bool ast_bool(yyjson_val *node, const char *key);
int ast_int(yyjson_val *node, const char *key);
// Whether node's `key` is the text `value`.
bool ast_is(yyjson_val *node, const char *key, const char *value);
// query_location; SIZE_MAX when DuckDB did not say.
size_t ast_offset(yyjson_val *node);
// The smallest query_location in the tree: where an expression begins.
size_t ast_first_offset(yyjson_val *node);
// Whether it is unnest(…), which makes columns of a struct's fields.
bool ast_is_unnest(yyjson_val *node);
// Whether some object in the tree has class or type `name`.
bool ast_contains(yyjson_val *node, const char *name);

const struct sql_type *ast_type(struct arena *arena, yyjson_val *cast_type);
// The tree as JSON text in the arena.
str ast_write(struct arena *arena, yyjson_val *node);
// The tree with its types as words, for the name of a column: see written_type.c.
str ast_with_type_words(struct arena *arena, str ast);
// As ast_write, without positions.
str ast_canonical(struct arena *arena, yyjson_val *node);

#endif
