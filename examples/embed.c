// Embeds the Starlark interpreter: a host type, a host function that makes values of it, and a
// script that uses both.
//
//     cc embed.c $(pkg-config --cflags --libs coypu-starlark) -o embed && ./embed
#include <starlark/starlark.h>
#include <stdio.h>
#include <string.h>

static const char script[] = "def far(n):\n"
                             "    points = [point(i, 10 - i) for i in range(n)]\n"
                             "    return max(points, key = lambda p: p.x * p.x + p.y * p.y)\n";
struct point {
    double x, y;
};

static star_value point_attribute(struct star_thread *thread, star_value self, const char *name,
                                  size_t size) {
    (void)thread;
    const struct point *point = star_host_payload(self);
    if (size == 1 && (*name == 'x' || *name == 'y')) {
        return star_float(*name == 'x' ? point->x : point->y);
    }
    return STAR_UNSET;
}

static bool point_string(struct star_thread *thread, star_value self, struct star_text *out) {
    (void)thread;
    const struct point *point = star_host_payload(self);
    char text[80];
    snprintf(text, sizeof(text), "point(%g, %g)", point->x, point->y);
    return star_text_add_cstring(out, text);
}

static const struct star_type point_type = {
    .name = "point", .attribute = point_attribute, .string = point_string};

static star_value point_new(struct star_thread *thread, const struct star_call_info *call) {
    star_value self = star_host_new(thread, &point_type, NULL, 0, sizeof(struct point));
    if (!star_is_error(self)) {
        struct point *point = star_host_payload(self);
        star_get_double(call->arguments[0], &point->x);
        star_get_double(call->arguments[1], &point->y);
    }
    return self;
}

#define NUMBER (STAR_TAKES(STAR_KIND_INT) | STAR_TAKES(STAR_KIND_FLOAT))
static const struct star_parameter point_parameters[] = {{"x", STAR_REQUIRED, NUMBER},
                                                         {"y", STAR_REQUIRED, NUMBER}};
static const struct star_builtin point_builtin = STAR_BUILTIN("point", point_new, point_parameters);

int main(void) {
    static const char *const names[] = {"point"};
    const struct star_source source = {
        .file = "far.star", .text = script, .size = strlen(script), .predeclared = {names, 1}};
    struct star_diagnostics problems;
    struct star_program *program = star_compile(&source, &problems);
    if (program == NULL) {
        return puts(problems.count > 0 ? problems.items[0].message : problems.failure);
    }
    struct star_thread *thread = star_thread_new(NULL);
    const struct star_binding point = {"point", star_function_new(thread, &point_builtin, NULL)};
    const struct star_environment environment = {.predeclared = &point, .predeclared_count = 1};
    struct star_module *module = star_module_init(thread, program, &environment);
    const star_value count = star_int(thread, 5);
    const star_value result =
        star_call(thread, module, "far", &(struct star_arguments){&count, 1, NULL, 0});
    const char *text;
    size_t size = 0;
    if (star_get_text(star_str(thread, result), &text, &size)) {
        printf("%.*s\n", (int)size, text);
    } else {
        fputs(star_thread_error_text(thread), stdout);
    }
    star_module_free(module);
    star_thread_free(thread);
    star_program_free(program);
    return size == 0;
}
