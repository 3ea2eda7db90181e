#include "cli/inspection_command.h"

int inspection_command(struct command_line *line, bool with_models, inspection_show *show) {
    struct error err = {0};
    struct inspection inspection;
    const struct inspection_options options = {.context = line->context,
                                               .with_models = with_models};
    enum error_code code = inspection_open(line->arena, &options, &inspection, &err);
    if (code == ERROR_NONE) {
        command_print_warnings(line, &inspection.project.warnings);
        code = show(line, &inspection, &err);
    }
    inspection_close(&inspection);
    return code == ERROR_NONE ? EXIT_CLEAN : command_fail(line, &err);
}
