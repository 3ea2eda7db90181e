#ifndef LIB_FETCH_KWARGS_H
#define LIB_FETCH_KWARGS_H

// What the functions of the fetch family are called with (libs.md §5.2), as values on a thread.

#include "lib/fetch_task.h"

enum { FETCH_KWARGS_MAX = 16 }; // beside the declared args

struct fetch_saved {
    struct star_handle *list; // what save.row and save.rows collected; NULL: `save` is not declared
};

// Fills `out` (room for args and FETCH_KWARGS_MAX); gives the number, or SIZE_MAX when memory is
// out. `cursor` is STAR_UNSET in submit and check, which get no page.
size_t fetch_kwargs(const struct fetch_task *task, const struct fetch_model *model,
                    struct star_thread *thread, star_value cursor, int64_t page_number,
                    struct fetch_saved *saved, struct star_binding *out);

#endif
