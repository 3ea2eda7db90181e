-- @audit: macros over the table as it would be after the write, in the same transaction.

-- row_count(op, n): the number of rows violates the comparison
CREATE MACRO ondatra_audit_row_count(t, op, n) AS TABLE
    FROM query(coypu_check_measure(t, 'the number of rows', 'count(*)', op, n));

-- freshness(col, span): the newest value is older than the span (24h, 7d), or there is none
CREATE MACRO ondatra_audit_freshness(t, col, span) AS TABLE
    FROM query(coypu_check_freshness(t, col, span));

-- mean(col, op, value): the mean violates the comparison, or there is none
CREATE MACRO ondatra_audit_mean(t, col, op, value) AS TABLE
    FROM query(coypu_check_aggregate(t, 'mean', 'avg', col, op, value));

-- median(col, op, value): the median violates the comparison, or there is none
CREATE MACRO ondatra_audit_median(t, col, op, value) AS TABLE
    FROM query(coypu_check_aggregate(t, 'median', 'median', col, op, value));

-- min(col, op, value): the least value violates the comparison, or there is none
CREATE MACRO ondatra_audit_min(t, col, op, value) AS TABLE
    FROM query(coypu_check_aggregate(t, 'min', 'min', col, op, value));

-- max(col, op, value): the greatest value violates the comparison, or there is none
CREATE MACRO ondatra_audit_max(t, col, op, value) AS TABLE
    FROM query(coypu_check_aggregate(t, 'max', 'max', col, op, value));

-- sum(col, op, value): the sum violates the comparison, or there is none
CREATE MACRO ondatra_audit_sum(t, col, op, value) AS TABLE
    FROM query(coypu_check_aggregate(t, 'sum', 'sum', col, op, value));

-- mean_between(col, lowest, highest): the mean lies outside of the range, or there is none
CREATE MACRO ondatra_audit_mean_between(t, col, lowest, highest) AS TABLE
    FROM query(format('SELECT CASE WHEN m IS NULL THEN {2} || '': there is no value'' ELSE concat({2}, '' is '', m, '', not between {3} and {4}'') END
                       FROM (SELECT avg({1}) AS m FROM {0}) WHERE m IS NULL OR m NOT BETWEEN {3} AND {4}',
                      t, coypu_check_column(col), coypu_check_text(format('mean({})', col)), lowest, highest));

-- stddev(col, most): the standard deviation is greater than the limit, or there is no value
CREATE MACRO ondatra_audit_stddev(t, col, most) AS TABLE
    FROM query(coypu_check_measure(t, format('stddev({})', col), format('CASE WHEN count({0}) = 1 THEN 0 ELSE stddev_samp({0}) END', coypu_check_column(col)), '<=', most));

-- zscore(col, most): a value lies as many standard deviations from the mean, or there is no value
CREATE MACRO ondatra_audit_zscore(t, col, most) AS TABLE
    FROM query(format('SELECT {2} || '': there is no value'' FROM (SELECT count({1}) AS n FROM {0}) WHERE n = 0',
                      t, coypu_check_column(col), coypu_check_text(format('zscore({})', col)))) UNION ALL
    FROM query(coypu_check_rows(t, col, coypu_check_column(col),
                                format('abs(({1} - (SELECT avg({1}) FROM {0})) / nullif((SELECT stddev_samp({1}) FROM {0}), 0)) >= {2}', t, coypu_check_column(col), most),
                                format('the z-score of {} is at least {}', col, most)));

-- percentile(col, p, op, value): the percentile, p from 0 to 1, violates the comparison
CREATE MACRO ondatra_audit_percentile(t, col, p, op, value) AS TABLE
    FROM query(coypu_check_measure(t, format('percentile({}, {})', col, p),
                                   format('quantile_cont({}, {})', coypu_check_column(col),
                                          CASE WHEN p BETWEEN 0 AND 1 THEN p::VARCHAR ELSE error(format('the percentile {} is not from 0 to 1', p)) END), op, value));

-- entropy(col, op, value): the Shannon entropy, in bits, violates the comparison
CREATE MACRO ondatra_audit_entropy(t, col, op, value) AS TABLE
    FROM query(coypu_check_aggregate(t, 'entropy', 'entropy', col, op, value));

-- approx_distinct(col, op, n): about how many distinct values there are violates the comparison
CREATE MACRO ondatra_audit_approx_distinct(t, col, op, n) AS TABLE
    FROM query(coypu_check_aggregate(t, 'approx_distinct', 'approx_count_distinct', col, op, n));

-- reconcile_count(other): the other table has another number of rows
CREATE MACRO ondatra_audit_reconcile_count(t, other) AS TABLE
    FROM query(format('SELECT concat(''there are '', a, '' rows here and '', b, '' in '', {2}) FROM (SELECT (SELECT count(*) FROM {0}) AS a, (SELECT count(*) FROM {1}) AS b) WHERE a <> b',
                      t, other, coypu_check_text(other)));

-- reconcile_sum(col, other, col2): the other table's column has another sum
CREATE MACRO ondatra_audit_reconcile_sum(t, col, other, other_col) AS TABLE
    FROM query(format('SELECT concat(''sum('', {4}, '') is '', coalesce(a::VARCHAR, ''NULL''), '' here and '', coalesce(b::VARCHAR, ''NULL''), '' in '', {5})
                       FROM (SELECT (SELECT sum({1}) FROM {0}) AS a, (SELECT sum({3}) FROM {2}) AS b) WHERE a IS DISTINCT FROM b',
                      t, coypu_check_column(col), other, coypu_check_column(other_col), coypu_check_text(col), coypu_check_text(format('{}.{}', other, other_col))));

-- column_exists(column): the table has no such column
CREATE MACRO ondatra_audit_column_exists(t, name) AS TABLE
    FROM query(format('SELECT concat(''there is no column '', {1}) FROM (SELECT count(*) AS n FROM (DESCRIBE SELECT * FROM {0}) WHERE lower(column_name) = lower({1})) WHERE n = 0',
                      t, coypu_check_text(name)));

-- column_type(column, type): the column is not there or of another type
CREATE MACRO ondatra_audit_column_type(t, name, type) AS TABLE
    FROM query(format('SELECT coalesce({1} || '' is '' || found || '', not '' || {2}, ''there is no column '' || {1})
                       FROM (SELECT max(column_type) AS found FROM (DESCRIBE SELECT * FROM {0}) WHERE lower(column_name) = lower({1}))
                       WHERE found IS NULL OR lower(replace(found, '' '', '''')) <> lower(replace({2}, '' '', ''''))',
                      t, coypu_check_text(name), coypu_check_text(type)));

-- golden(path): a CSV file, with a header, does not hold the same rows, copies counted
CREATE MACRO ondatra_audit_golden(t, path) AS TABLE
    FROM query(format('WITH expected AS (SELECT {1} FROM read_csv({3}, header = true, all_varchar = true, allow_quoted_nulls = false) f LEFT JOIN (FROM {0} LIMIT 0) c ON false),
                            actual AS (SELECT {2} FROM {0})
                       SELECT concat(more, CASE WHEN more = 1 THEN '' row is'' ELSE '' rows are'' END, '' not in '', {3}, '', '', less, '' of its rows missing here'')
                       FROM (SELECT (SELECT count(*) FROM (FROM actual EXCEPT ALL FROM expected)) AS more, (SELECT count(*) FROM (FROM expected EXCEPT ALL FROM actual)) AS less)
                       WHERE more + less > 0',
                      t, array_to_string([format('cast_to_type(f.{0}, c.{0}) AS {0}', coypu_check_name(x)) FOR x IN getvariable('ondatra_check_columns')], ', '),
                      array_to_string([coypu_check_name(x) FOR x IN getvariable('ondatra_check_columns')], ', '), coypu_check_text(path)));
