// The files of `coypu init` (models.md §1.2), and the maintenance scripts, which are also built in.

#include "project/builtin.h"

#include "base/attributes.h"
#include "project/project.h"

#define FLUSH_SQL                                                                                  \
    "-- Write rows that are kept in the catalog to data files.\n"                                  \
    "CALL ducklake_flush_inlined_data('{{catalog}}');\n"
#define EXPIRE_SQL                                                                                 \
    "-- Forget snapshots older than 30 days.\n"                                                    \
    "CALL ducklake_expire_snapshots('{{catalog}}', older_than => now() - INTERVAL '30 days');\n"
#define MERGE_SQL                                                                                  \
    "-- Merge small neighbouring data files.\n"                                                    \
    "CALL ducklake_merge_adjacent_files('{{catalog}}');\n"
#define REWRITE_SQL                                                                                \
    "-- Rewrite data files of which much is deleted.\n"                                            \
    "CALL ducklake_rewrite_data_files('{{catalog}}');\n"
#define CLEANUP_SQL                                                                                \
    "-- Remove files that no snapshot needs since 7 days.\n"                                       \
    "CALL ducklake_cleanup_old_files('{{catalog}}', older_than => now() - INTERVAL '7 days');\n"
#define ORPHANED_SQL                                                                               \
    "-- Remove files that no snapshot ever knew and that are older than 7 days.\n"                 \
    "CALL ducklake_delete_orphaned_files('{{catalog}}', older_than => now() - INTERVAL '7 "        \
    "days');\n"
#define CHECKPOINT_SQL FLUSH_SQL EXPIRE_SQL MERGE_SQL REWRITE_SQL CLEANUP_SQL ORPHANED_SQL

const struct template_file template_files[] = {
    {STR_INIT("config/catalog.sql"),
     STR_INIT(
         "-- Where the lake is: its catalog and its data files.\n"
         "ATTACH 'ducklake:sqlite:catalog.sqlite' AS lake (\n"
         "    DATA_PATH 'catalog_data/',\n"
         "    META_JOURNAL_MODE 'WAL',\n"
         "    META_BUSY_TIMEOUT 5000\n"
         ");\n"
         "\n"
         "-- For a team, with CREATE SECRET (TYPE postgres, …) in secrets.sql:\n"
         "-- ATTACH 'ducklake:postgres:dbname=lake' AS lake (DATA_PATH 's3://bucket/lake/');\n")},
    {STR_INIT("config/settings.sql"),
     STR_INIT("-- Settings of DuckDB, run before the catalog is attached.\n"
              "-- SET memory_limit = '4GB';\n")},
    {STR_INIT("config/secrets.sql"),
     STR_INIT("-- Credentials; the values come from .env.\n"
              "-- CREATE SECRET store (TYPE s3, KEY_ID '${AWS_ACCESS_KEY_ID}', SECRET "
              "'${AWS_SECRET_ACCESS_KEY}');\n")},
    {STR_INIT("config/extensions.sql"),
     STR_INIT("-- Further extensions of DuckDB.\n-- LOAD httpfs;\n")},
    {STR_INIT("config/sources.sql"),
     STR_INIT("-- Other databases and views that models may read.\n"
              "-- ATTACH 'postgres:dbname=shop' AS shop (READ_ONLY);\n")},
    {STR_INIT("config/macros/helpers.sql"),
     STR_INIT("-- Macros of this project; the shipped ones of the same name are replaced.\n"
              "-- CREATE OR REPLACE MACRO net(gross) AS gross / 1.25;\n")},
    {STR_INIT("config/variables/constants.sql"),
     STR_INIT("-- Constants, read with getvariable('name').\n"
              "SET VARIABLE alert_amount_threshold = 10000;\n")},
    {STR_INIT("config/variables/global.sql"),
     STR_INIT("-- Variables set once a session, behind constants.sql.\n"
              "-- SET VARIABLE first_day = (SELECT min(day) FROM staging.orders);\n")},
    {STR_INIT("config/variables/local.sql"),
     STR_INIT("-- Variables set for each model; getvariable('current_model') is its name.\n")},
    {STR_INIT("sql/flush.sql"), STR_INIT(FLUSH_SQL)},
    {STR_INIT("sql/expire.sql"), STR_INIT(EXPIRE_SQL)},
    {STR_INIT("sql/merge.sql"), STR_INIT(MERGE_SQL)},
    {STR_INIT("sql/rewrite.sql"), STR_INIT(REWRITE_SQL)},
    {STR_INIT("sql/cleanup.sql"), STR_INIT(CLEANUP_SQL)},
    {STR_INIT("sql/orphaned.sql"), STR_INIT(ORPHANED_SQL)},
    {STR_INIT("sql/checkpoint.sql"), STR_INIT(CHECKPOINT_SQL)},
    {STR_INIT(".gitignore"), STR_INIT("# secrets\n"
                                      ".env\n"
                                      ".env.*\n"
                                      "*.key\n"
                                      "*.pem\n"
                                      "\n"
                                      "# databases and data files\n"
                                      "*.sqlite\n"
                                      "*.sqlite-*\n"
                                      "*.db\n"
                                      "*.duckdb\n"
                                      "*.ducklake\n"
                                      "*.wal\n"
                                      "*.parquet\n"
                                      "catalog_data/\n"
                                      "\n"
                                      "# state of the runtime\n"
                                      ".coypu/\n"
                                      ".sandbox/\n")},
    {STR_INIT("README.md"), STR_INIT("# {{name}}\n"
                                     "\n"
                                     "A data pipeline: SQL models in `models/`, API functions in "
                                     "`lib/`, settings in `config/`.\n"
                                     "\n"
                                     "    coypu run          # what has changed\n"
                                     "    coypu sandbox      # what would change\n"
                                     "    coypu validate     # are the files right?\n"
                                     "    coypu sql \"SELECT 1\"\n")},
};
const size_t template_file_count = ARRAY_COUNT(template_files);

const str template_folders[] = {
    STR_INIT("models/raw"),  STR_INIT("models/staging"), STR_INIT("models/intermediate"),
    STR_INIT("models/mart"), STR_INIT("models/sync"),    STR_INIT("lib"),
};
const size_t template_folder_count = ARRAY_COUNT(template_folders);

str project_script_default(str name) {
    for (size_t i = 0; i < template_file_count; i++) {
        const str path = template_files[i].path;
        if (str_starts_with(path, STR("sql/")) &&
            str_equal(str_slice(path, 4, path.size - 4), name)) {
            return template_files[i].content;
        }
    }
    return (str){0};
}
