#include "plan/run_type.h"

str run_type_name(enum run_type type) {
    static const str NAMES[] = {
        [RUN_SKIP] = STR_INIT("skip"),
        [RUN_BACKFILL] = STR_INIT("backfill"),
        [RUN_INCREMENTAL] = STR_INIT("incremental"),
        [RUN_FULL] = STR_INIT("full"),
    };
    return NAMES[type];
}
