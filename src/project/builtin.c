#include "project/builtin.h"

// Functions that read a variable must do so when they are called: a macro does.
const str builtin_macros = STR_INIT(
    "CREATE OR REPLACE MACRO memory.ondatra_now() AS getvariable('ondatra_run_time');\n"
    "CREATE OR REPLACE MACRO memory.ondatra_load_id() AS getvariable('ondatra_load_id');\n"
    "CREATE OR REPLACE MACRO memory.last_snapshot() AS getvariable('curr_snapshot');\n"
    "CREATE OR REPLACE MACRO memory.prev_snapshot() AS getvariable('prev_snapshot');\n"
    "CREATE OR REPLACE MACRO memory.dag_start_snapshot() AS getvariable('dag_start_snapshot');\n"
    "CREATE OR REPLACE MACRO memory.safe_divide(a, b) AS CASE WHEN b = 0 THEN NULL ELSE a / b "
    "END;\n"
    "CREATE OR REPLACE MACRO memory.cents_to_dollars(cents) AS cents / 100.0;\n"
    "CREATE OR REPLACE MACRO memory.mask_email(v) AS CASE WHEN v IS NULL THEN NULL ELSE "
    "left(v::VARCHAR, 1) || '***@' || split_part(v::VARCHAR, '@', 2) END;\n"
    "CREATE OR REPLACE MACRO memory.mask_ssn(v) AS '***-**-' || right(v::VARCHAR, 4);\n"
    "CREATE OR REPLACE MACRO memory.hash_pii(v) AS sha256(v::VARCHAR);\n"
    "CREATE OR REPLACE MACRO memory.redact(v) AS CASE WHEN v IS NULL THEN NULL ELSE '[REDACTED]' "
    "END;\n");

const str builtin_constants = STR_INIT("SET VARIABLE alert_amount_threshold = 10000;\n");
