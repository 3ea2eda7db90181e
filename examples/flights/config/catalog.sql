-- The lake: a SQLite catalog beside a folder of Parquet files.
ATTACH 'ducklake:sqlite:lake.sqlite' AS lake (DATA_PATH 'lake_data/');
