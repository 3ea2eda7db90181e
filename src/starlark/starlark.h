#ifndef STARLARK_STARLARK_H
#define STARLARK_STARLARK_H

// The Starlark interpreter as a library: compile a file, run it as a module, call its functions.
//
//     star_program (immutable, shared)  = one compiled file
//     star_module  (frozen, shared)     = the globals after running it
//     star_thread  (one OS thread)      = heap, registers, inline caches, limits, current error
//
//     struct star_program *program = star_compile(&source, &diagnostics);
//     struct star_module *module = star_module_init(thread, program, &environment);
//     star_value result = star_call(thread, module, "fetch", &arguments);
//     if (star_is_error(result)) { … star_thread_error(thread) … }
//     … read `result` … star_thread_reset(thread);
//
// Ownership: programs and modules are reference-counted (star_program_free and star_module_free
// drop one reference).  A value made on a thread lives in that thread's heap until
// star_thread_reset; a value reachable from a frozen module lives as long as the module.  A
// star_value held by C code outside of a native function is valid only until the next star_call or
// star_module_init on the same thread (the collector may move it): keep it over calls in a handle.
// Inside a native function nothing moves, not even over callbacks into Starlark. Errors: a function
// that gives a star_value gives the word STAR_ERROR when it fails, and the thread holds the details
// (star_thread_error) until the next call.  Lack of memory is such an error. Threads: programs and
// frozen modules are read by any number of threads without locks.  A star_thread is used by one OS
// thread at a time; only star_thread_cancel may come from another.

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct star_program;
struct star_module;
struct star_thread;
struct star_handle;

// ---------------------------------------------------------------------------------------------
// Values

// One 64-bit word, NaN-boxed (see value.h).  A typedef, since it is used like a number.
typedef struct star_value {
    uint64_t bits;
} star_value;

#define STAR_WORD(word) ((star_value){UINT64_C(word)})
#define STAR_NONE STAR_WORD(0x7FFA000000000000)
#define STAR_FALSE STAR_WORD(0x7FFA000000000002)
#define STAR_TRUE STAR_WORD(0x7FFA000000000003)
#define STAR_UNSET                                                                                 \
    STAR_WORD(0x7FFA000000000004) // an argument that was not given; never seen by code
#define STAR_ERROR STAR_WORD(0x7FFA000000000005) // what a failing function returns

enum star_kind {
    STAR_KIND_NONE,
    STAR_KIND_BOOL,
    STAR_KIND_INT, // of any size
    STAR_KIND_FLOAT,
    STAR_KIND_STRING,
    STAR_KIND_BYTES,
    STAR_KIND_LIST,
    STAR_KIND_TUPLE,
    STAR_KIND_DICT,
    STAR_KIND_SET,
    STAR_KIND_RANGE,
    STAR_KIND_FUNCTION,
    STAR_KIND_BUILTIN, // also bound methods
    STAR_KIND_STRUCT,
    STAR_KIND_HOST, // an object of a struct star_type
};

static inline bool star_is_error(star_value value) {
    return value.bits == STAR_ERROR.bits;
}
static inline bool star_is_none(star_value value) {
    return value.bits == STAR_NONE.bits;
}
static inline bool star_is_unset(star_value value) {
    return value.bits == STAR_UNSET.bits;
}
static inline star_value star_bool(bool truth) {
    return truth ? STAR_TRUE : STAR_FALSE;
}

enum star_kind star_kind(star_value value);
// "NoneType", "int", …; for a host object its type's name.  Lives as long as the type.
const char *star_type_name(star_value value);
bool star_truth(star_value value);

// Values in.  Each may fail for lack of memory.  Bytes of text are copied.
star_value star_int(struct star_thread *thread, int64_t number);
// Decimal text with an optional sign, of any length; STAR_ERROR when it is none.
star_value star_int_from_decimal(struct star_thread *thread, const char *text, size_t size);
star_value star_float(double number);
star_value star_string(struct star_thread *thread, const char *data, size_t size);
star_value star_string_from(struct star_thread *thread, const char *cstring);
// As star_string, but one copy a thread and text: for names used again and again (keys).
star_value star_string_intern(struct star_thread *thread, const char *data, size_t size);
star_value star_bytes(struct star_thread *thread, const void *data, size_t size);
star_value star_tuple(struct star_thread *thread, const star_value *items, size_t count);
star_value star_list(struct star_thread *thread, const star_value *items, size_t count);
star_value star_dict(struct star_thread *thread);
// `key` must be hashable.  Fails on a frozen dict.
bool star_dict_set(struct star_thread *thread, star_value dict, star_value key, star_value value);
bool star_dict_set_name(struct star_thread *thread, star_value dict, const char *name,
                        star_value value);
bool star_list_append(struct star_thread *thread, star_value list, star_value item);
// struct(name=value, …): read-only fields, reached by attribute.  Names must differ.
// `constructor` is what str() prints before the parenthesis: "struct", "response".
star_value star_struct(struct star_thread *thread, const char *constructor,
                       const char *const *names, const star_value *values, size_t count);

// Values out.  The accessors of a kind give false (or 0) for a value of another kind.
bool star_get_int64(star_value value, int64_t *number); // false also when it does not fit
bool star_get_double(star_value value, double *number); // floats and ints; false when out of range
// A string's or bytes' content; borrowed, as long as the value.
bool star_get_text(star_value value, const char **data, size_t *size);
// Decimal text of an int of any size, as a string value.
star_value star_int_to_decimal(struct star_thread *thread, star_value value);
// str(value) and repr(value), as a string value.  str() of bytes is their text.
star_value star_str(struct star_thread *thread, star_value value);
star_value star_repr(struct star_thread *thread, star_value value);
// Number of items of a list, tuple, dict, set, range or struct; 0 for the rest.
size_t star_length(star_value value);
// Item of a list or tuple; lazy items are made now, hence the thread.
star_value star_item(struct star_thread *thread, star_value sequence, size_t index);
// STAR_UNSET when the key is absent (STAR_ERROR only when a lazy value cannot be made).
star_value star_dict_get(struct star_thread *thread, star_value dict, star_value key);
star_value star_dict_get_name(struct star_thread *thread, star_value dict, const char *name);
// Entries of a dict, struct or set (value = key) in order: start with *position = 0; false at the
// end or on error (then *key is STAR_ERROR).
bool star_dict_next(struct star_thread *thread, star_value dict, size_t *position, star_value *key,
                    star_value *value);
// A field of any value, as `value.name`; STAR_UNSET when it has none of that name.
star_value star_attribute(struct star_thread *thread, star_value value, const char *name);
bool star_equal(struct star_thread *thread, star_value a, star_value b, bool *equal);

// Any iterable value, item by item, with the mutation guard held in between.  Always end it.
struct star_iterator {
    star_value source;
    uint64_t position;
    uint64_t end;
    bool failed; // after star_iterate_next gave false: by an error, not by the end
    bool guarded;
};
bool star_iterate(struct star_thread *thread, star_value source, struct star_iterator *iterator);
bool star_iterate_next(struct star_thread *thread, struct star_iterator *iterator,
                       star_value *item);
void star_iterate_end(struct star_iterator *iterator);

// A deep copy in the other thread's heap; shared structure stays shared, frozen module values are
// referenced.  `from` is the thread that owns `value` (lazy parts are made there first).
star_value star_value_copy(struct star_thread *from, star_value value, struct star_thread *to);

// Keeps a value alive and up to date while the collector moves it, until freed or thread reset.
struct star_handle *star_handle_new(struct star_thread *thread, star_value value);
star_value star_handle_value(const struct star_handle *handle);
void star_handle_free(struct star_handle *handle);

// ---------------------------------------------------------------------------------------------
// Rows: dicts that share their keys

// Reads the same columns from many dicts: a row with the layout of the row before costs one
// comparison and indexed loads.
struct star_row_reader;
// Copies the names.  NULL when memory is out.
struct star_row_reader *star_row_reader_new(struct star_thread *thread, const char *const *names,
                                            const size_t *name_sizes, size_t count);
void star_row_reader_free(struct star_row_reader *reader);
// values[i] = row[name i], STAR_UNSET when absent.  `row` must be a dict (else false).
bool star_row_read(struct star_row_reader *reader, star_value row, star_value *values);
// The number of keys of `row` that are none of the reader's names.
size_t star_row_extra_keys(struct star_row_reader *reader, star_value row);

// The yyjson_val behind a dict or list that came from lazy JSON and that nobody changed; else NULL.
const void *star_json_raw(star_value value);

// Dicts that view columns.  The dict at row i has the column names as keys; a value is made by
// `get` on first touch.  Copied on write, as any lazy value.
struct star_columns {
    const char *const *names;
    const size_t *name_sizes;
    size_t column_count;
    size_t row_count;
    // May fail with star_fail.  Strings may be copied or borrowed (star_string_borrow).
    star_value (*get)(struct star_thread *thread, void *user, size_t row, size_t column);
    void *user; // must outlive the values (until star_thread_reset)
};
// A list of row dicts.
star_value star_rows_new(struct star_thread *thread, const struct star_columns *columns);
// A string over memory that the caller keeps alive and unchanged until the thread is reset.
star_value star_string_borrow(struct star_thread *thread, const char *data, size_t size);
// A lazy view on a JSON text (copied); a syntax error is STAR_ERROR with the byte offset.
star_value star_json_lazy(struct star_thread *thread, const char *data, size_t size);
// The value as compact JSON with dict order kept, in one call of `write`; lazy JSON that nobody
// changed is written from its document.  false after star_fail: "NAME: in dict key "x": …", for
// NaN, infinities, cycles and types that JSON does not have.
bool star_json_encode(struct star_thread *thread, star_value value, const char *name,
                      void (*write)(void *user, const char *data, size_t size), void *user);

// ---------------------------------------------------------------------------------------------
// Native functions and host types

// One call of a native function.  Everything is borrowed for the duration of the call.
struct star_call_info {
    star_value function; // the builtin being called
    star_value receiver; // of a method; STAR_UNSET for a plain function
    void *user;          // from star_function_new, or of the module table
    const star_value
        *arguments;          // with a parameter table: one per parameter, STAR_UNSET when absent
    uint32_t argument_count; // else: the positional arguments as given
    uint32_t named_count;    // named arguments as given; without a parameter table also:
    const star_value *names; // strings
    const star_value *named;
};

typedef star_value (*star_function)(struct star_thread *thread, const struct star_call_info *call);

enum star_parameter_flags {
    STAR_REQUIRED = 0,
    STAR_OPTIONAL = 1,
    STAR_POSITIONAL_ONLY = 2,
    STAR_KEYWORD_ONLY = 4,
    STAR_OR_NONE = 8, // None passes any type mask
};

// Which kinds a parameter takes: bits 1 << STAR_KIND_x; 0 takes all.
#define STAR_TAKES(kind) (1u << (kind))

struct star_parameter {
    const char *name;
    uint8_t flags;
    uint32_t kinds;
};

// A native function.  With `parameters` the interpreter binds the arguments (names, counts, kinds,
// same messages as for Starlark functions); without, the function gets them raw.
struct star_builtin {
    const char *name;
    star_function function;
    const struct star_parameter *parameters; // positional ones first, then keyword-only
    uint32_t parameter_count;
};
#define STAR_BUILTIN(name_, function_, parameters_)                                                \
    {name_, function_, parameters_, sizeof(parameters_) / sizeof((parameters_)[0])}
#define STAR_BUILTIN_RAW(name_, function_) {name_, function_, NULL, 0}

// A function value; `builtin` must outlive it, `user` comes back in call->user.
star_value star_function_new(struct star_thread *thread, const struct star_builtin *builtin,
                             void *user);

// Text that is being built: growth is charged to the heap; a failed growth is remembered.
struct star_text;
bool star_text_add(struct star_text *text, const char *data, size_t size);
bool star_text_add_cstring(struct star_text *text, const char *cstring);
bool star_text_add_repr(struct star_text *text, star_value value);
// As str(value): strings as they are, bytes decoded, what is not UTF-8 in them as U+FFFD.
bool star_text_add_value(struct star_text *text, star_value value);

enum star_operator {
    STAR_OP_ADD,
    STAR_OP_SUBTRACT,
    STAR_OP_MULTIPLY,
    STAR_OP_DIVIDE,
    STAR_OP_FLOOR_DIVIDE,
    STAR_OP_MODULO,
    STAR_OP_AND,
    STAR_OP_OR,
    STAR_OP_XOR,
    STAR_OP_SHIFT_LEFT,
    STAR_OP_SHIFT_RIGHT,
    STAR_OP_IN,
};
// "+", "//", "in", …
const char *star_operator_text(enum star_operator operator);

// A type of the host.  Every hook may be NULL: then the operation is refused with the same message
// as for a builtin type without it.  Hooks that give a star_value give STAR_UNSET for "no such
// thing" and STAR_ERROR after star_fail.
struct star_type {
    const char *name;
    star_value (*attribute)(struct star_thread *thread, star_value self, const char *name,
                            size_t size);
    const char *const *attribute_names; // NULL-terminated; for dir() and suggestions
    const struct star_builtin *methods; // bound on attribute access, after `attribute`
    size_t method_count;
    bool (*set_attribute)(struct star_thread *thread, star_value self, const char *name,
                          size_t size, star_value value);
    star_value (*index)(struct star_thread *thread, star_value self, star_value key);
    bool (*set_index)(struct star_thread *thread, star_value self, star_value key,
                      star_value value);
    int64_t (*length)(star_value self); // of len(), and bound of integer indexes and iteration
    // Item `position` of an iteration; STAR_UNSET at the end.
    star_value (*iterate)(struct star_thread *thread, star_value self, uint64_t position);
    star_value (*call)(struct star_thread *thread, const struct star_call_info *call);
    // `reversed`: self is the right operand.
    star_value (*binary)(struct star_thread *thread, enum star_operator operator, star_value self,
                         star_value other, bool reversed);
    star_value (*negate)(struct star_thread *thread, star_value self);
    // Of two objects of this type.  Without: identity.
    bool (*equal)(star_value a, star_value b);
    // Less than 0, 0, greater than 0, for two objects of this type.  Without: not ordered.
    int (*compare)(star_value a, star_value b);
    // Without: not hashable.
    uint32_t (*hash)(star_value self);
    bool (*truth)(star_value self); // without: true
    bool (*string)(struct star_thread *thread, star_value self, struct star_text *out);
    // When the object's heap goes away or the collector finds it dead; gets star_host_data().
    void (*free)(void *data);
    // The bytes behind `data` that count as the thread's heap; given back after `free`.
    size_t (*charged)(const void *data);
    // Before the object becomes shared by threads.
    void (*freeze)(void *data);
};

// An object of a host type.  `data` is the host's; `slot_count` star_values and `payload_size`
// bytes live inside the object (they move with it): slots start as None, payload as zero.
star_value star_host_new(struct star_thread *thread, const struct star_type *type, void *data,
                         size_t slot_count, size_t payload_size);
// NULL when `value` is not an object of `type`.
void *star_host_data(star_value value, const struct star_type *type);
bool star_is_host(star_value value, const struct star_type *type);
star_value *star_host_slots(star_value value);
void *star_host_payload(star_value value);

// ---------------------------------------------------------------------------------------------
// Errors

enum star_status {
    STAR_OK,
    STAR_FAILED,    // the script's own error: wrong operand, fail(), missing key, …
    STAR_ABORTED,   // abort(): the run ends without being a failure of the script
    STAR_CANCELLED, // star_thread_cancel
    STAR_LIMIT,     // steps, memory, depth or time
    STAR_HOST,      // the world outside failed (network, file); `host_code` says how
};

struct star_frame {
    const char *file; // NULL for a builtin
    int line;
    int column;
    const char *function;
};

struct star_error {
    enum star_status status;
    int host_code;       // from star_fail_host
    const char *message; // NUL-terminated; lives until the next call on the thread or its reset
    const char *hint;    // "" when there is none
    const struct star_frame *frames; // outermost first
    size_t frame_count;
    const uint32_t *frame_more; // for each: how many frames behind it were left out (recursion)
};

// Set the thread's error; always STAR_ERROR, for `return star_fail(thread, "…")`.
star_value star_fail(struct star_thread *thread, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
star_value star_fail_list(struct star_thread *thread, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
// An error with a code of the host that travels through all frames unchanged.
star_value star_fail_host(struct star_thread *thread, enum star_status status, int host_code,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));
// Adds a hint to the error just set.
void star_fail_hint(struct star_thread *thread, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// Of the last call that failed.
const struct star_error *star_thread_error(const struct star_thread *thread);
// The text of spec/starlark.md §12: traceback and message, without the source line; borrowed until
// the next call on the thread.
const char *star_thread_error_text(struct star_thread *thread);

// ---------------------------------------------------------------------------------------------
// Programs

enum star_dialect { STAR_DIALECT_CORE, STAR_DIALECT_LIB, STAR_DIALECT_SCRIPT };

// Names that are there without being defined.  Tables are static; `names` of values are listed so
// that the resolver knows them.
struct star_names {
    const char *const *names;
    size_t count;
};

struct star_source {
    const char *file; // as shown in positions
    const char *text;
    size_t size;
    enum star_dialect dialect;
    struct star_names predeclared; // beside the universe (print, len, …)
    // When the file is one expression and nothing else: the global that gets its value.  NULL:
    // none.
    const char *result_name;
    // As in star_thread_options, for the program (which it must outlive) and for the time of
    // compiling.  Tree and bytecode may take `memory_bytes`, and so may the constants; 0: no limit.
    void *(*allocate)(void *user, void *memory, size_t old_size, size_t size);
    void *allocate_user;
    size_t memory_bytes;
};

struct star_diagnostic {
    int line; // from 1
    int column;
    int end_line;
    int end_column;
    const char *message;
    const char *hint; // "" when there is none
};

// What the parser and the resolver had to say, in source order.
struct star_diagnostics {
    struct star_diagnostic *items;
    size_t count; // at most 50
    size_t total; // all of them
    // Why the file could not be read to its end: "out of memory", "memory limit of N bytes
    // exceeded".  Then there are no items.  Else empty.
    char failure[64];
    void *memory;
};
void star_diagnostics_free(struct star_diagnostics *diagnostics);

// NULL when the file has static errors, or diagnostics->failure says why.  `diagnostics` may be
// NULL.
struct star_program *star_compile(const struct star_source *source,
                                  struct star_diagnostics *diagnostics);
// The frames of a thread's error point into the programs that ran: free a program only when the
// error was read, also that of a module whose star_module_init failed.
struct star_program *star_program_keep(struct star_program *program);
void star_program_free(struct star_program *program);
const char *star_program_file(const struct star_program *program);
// The bytecode for developers, through `write`.
void star_program_disassemble(const struct star_program *program,
                              void (*write)(void *user, const char *text, size_t size), void *user);

// Reading literals and signatures without running anything: see syntax.h.

// ---------------------------------------------------------------------------------------------
// Modules

struct star_binding {
    const char *name;
    star_value value;
};

struct star_environment {
    // Values of the program's predeclared names; a name without a value is an error when used.
    // They must be frozen (builtins, strings, ints, values of a module) or made on the same thread.
    const struct star_binding *predeclared;
    size_t predeclared_count;
    // Finds the module of load(name); `file` is the loading file.  Gives a borrowed module that
    // outlives the init, or NULL after star_fail.  Detects cycles itself.  NULL: load is an error.
    struct star_module *(*load)(struct star_thread *thread, void *user, const char *file,
                                const char *name);
    void *load_user;
    // Keep the globals when the program failed half-way (star_module_global works, unfrozen).
    bool keep_unfrozen;
};

// Runs the program's statements and freezes what its globals reach.  NULL: star_thread_error.
// The thread may be in the middle of a native call (a loader that runs another module).
struct star_module *star_module_init(struct star_thread *thread, struct star_program *program,
                                     const struct star_environment *environment);
struct star_module *star_module_keep(struct star_module *module);
void star_module_free(struct star_module *module);
// STAR_UNSET when there is no such global.
star_value star_module_global(const struct star_module *module, const char *name);
bool star_module_has_function(const struct star_module *module, const char *name);
size_t star_module_global_count(const struct star_module *module);
// In order of first binding; *value is STAR_UNSET for a name that was never bound.
const char *star_module_global_at(const struct star_module *module, size_t index,
                                  star_value *value);
// The names that were bound by load, comma-separated chains and suggestions are the loader's.
struct star_program *star_module_program(const struct star_module *module);

// ---------------------------------------------------------------------------------------------
// Threads

struct star_limits {
    uint64_t steps;        // 0: none
    uint64_t memory_bytes; // of live heap; 0: none
    uint32_t depth;        // call frames; 0: as deep as the register stack goes
    uint64_t time_us;      // of one call from outside, by the thread's clock; 0: none
};
#define STAR_LIMITS_DEFAULT (struct star_limits){.depth = 10000}

// All optional.
struct star_thread_options {
    struct star_limits limits;
    // One line of print(), without its newline; NULL: standard error.
    void (*print)(void *user, const char *text, size_t size);
    void *print_user;
    void *user; // star_thread_user: the host's own context (client, project, …)
    // malloc family replacement: `size` 0 frees and gives NULL; NULL result: out of memory.
    void *(*allocate)(void *user, void *memory, size_t old_size, size_t size);
    void *allocate_user;
    int64_t (*monotonic_us)(void *user); // for the time limit; NULL: the system's
    void *clock_user;
    size_t collect_after_bytes; // first collection; 0: 8 MiB.  Small values stress tests.
};

// NULL when memory is out.
struct star_thread *star_thread_new(const struct star_thread_options *options);
void star_thread_free(struct star_thread *thread);
// Frees all values of the heap and the error; handles become invalid.  Caches stay warm.
void star_thread_reset(struct star_thread *thread);
void *star_thread_user(const struct star_thread *thread);
void star_thread_set_user(struct star_thread *thread, void *user);
// The limits count from here on.
void star_thread_set_limits(struct star_thread *thread, const struct star_limits *limits);
// Any thread, also a signal handler: the running call ends with STAR_CANCELLED within 1 ms of
// executed code.  Stays set until star_thread_reset.
void star_thread_cancel(struct star_thread *thread);
bool star_thread_is_cancelled(const struct star_thread *thread);
uint64_t star_thread_steps(const struct star_thread *thread);
size_t star_thread_memory(const struct star_thread *thread); // bytes of heap in use
// The positions of the active calls, outermost first, for logs of native functions.  Gives how many
// there are; fills at most `capacity`, the innermost ones.
size_t star_thread_frames(struct star_thread *thread, struct star_frame *frames, size_t capacity);

// Calls `sample` about every `steps` steps of running code, from the running OS thread; it may look
// at the thread (frames, steps) and must not call it.  NULL: none.
void star_thread_sample(struct star_thread *thread, uint32_t steps,
                        void (*sample)(void *user, struct star_thread *thread), void *user);

struct star_arguments {
    const star_value *positional;
    size_t positional_count;
    const struct star_binding *named;
    size_t named_count;
};

// Calls a global function of a module.  `arguments` may be NULL.
star_value star_call(struct star_thread *thread, struct star_module *module, const char *function,
                     const struct star_arguments *arguments);
// Calls any callable value; also from a native function.
star_value star_call_value(struct star_thread *thread, star_value function,
                           const star_value *positional, size_t count);
star_value star_call_named(struct star_thread *thread, star_value function,
                           const struct star_arguments *arguments);
// Charges work of a native function (about one per item or 16 bytes).  false: cancelled or over a
// limit, the error is set.
bool star_charge(struct star_thread *thread, uint64_t steps);

#endif
