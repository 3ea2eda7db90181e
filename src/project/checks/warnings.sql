-- @warning: macros over the committed table.  A message blocks nothing.

-- freshness(col, span): the newest value is older than the span (24h, 7d), or there is none
CREATE MACRO ondatra_warning_freshness(t, col, span) AS TABLE
    FROM query(coypu_check_freshness(t, col, span));

-- row_count(op, n): the number of rows violates the comparison
CREATE MACRO ondatra_warning_row_count(t, op, n) AS TABLE
    FROM query(coypu_check_measure(t, 'the number of rows', 'count(*)', op, n));

-- min(col, op, value): the least value violates the comparison, or there is none
CREATE MACRO ondatra_warning_min(t, col, op, value) AS TABLE
    FROM query(coypu_check_aggregate(t, 'min', 'min', col, op, value));

-- compare(col, op, value): a value violates the comparison; op is one of >= > <= < = !=
CREATE MACRO ondatra_warning_compare(t, col, op, value) AS TABLE
    FROM query(coypu_check_rows(t, col, coypu_check_column(col),
                                format('NOT ({} {} {})', coypu_check_column(col), coypu_check_operator(op), coypu_check_value(value)),
                                format('{} is not {} {}', col, op, value)));

-- mean(col, op, value): the mean violates the comparison, or there is none
CREATE MACRO ondatra_warning_mean(t, col, op, value) AS TABLE
    FROM query(coypu_check_aggregate(t, 'mean', 'avg', col, op, value));

-- not_null(col): there is a NULL
CREATE MACRO ondatra_warning_not_null(t, col) AS TABLE
    FROM query(coypu_check_nulls(t, col));

-- unique(col): a value occurs twice; NULL is a value, too
CREATE MACRO ondatra_warning_unique(t, col) AS TABLE
    FROM query(coypu_check_repeated(t, coypu_check_column(col), col));

-- null_percent(col, percent): the share of NULL reaches the limit
CREATE MACRO ondatra_warning_null_percent(t, col, percent) AS TABLE
    FROM query(coypu_check_null_percent(t, col, percent));

-- row_count_delta(percent): the rows inserted, updated and deleted since the commit before this one
-- are more than this share of the rows now; a row deleted and inserted again as it was is not one
CREATE MACRO ondatra_warning_row_count_delta(t, percent) AS TABLE
    FROM query(CASE WHEN coalesce(getvariable('prev_model_snapshot'), 0) = 0 OR getvariable('prev_model_snapshot') >= getvariable('curr_snapshot')
               THEN 'SELECT NULL WHERE false'
               ELSE format('WITH feed AS (SELECT * EXCLUDE (snapshot_id, rowid) FROM ducklake_table_changes({1}, {2}, {3}, {4}, {5})),
                                 gone AS (SELECT * EXCLUDE (change_type) FROM feed WHERE change_type = ''delete''),
                                 new AS (SELECT * EXCLUDE (change_type) FROM feed WHERE change_type = ''insert'')
                            SELECT concat(n, '' of '', total, '' rows changed, more than {6} %'')
                            FROM (SELECT (SELECT count(*) FROM (FROM gone EXCEPT ALL FROM new)) + (SELECT count(*) FROM (FROM new EXCEPT ALL FROM gone))
                                         + (SELECT count(*) FROM feed WHERE change_type = ''update_postimage'') AS n, (SELECT count(*) FROM {0}) AS total)
                            WHERE n * 100 > total * {6}',
                           t, coypu_check_text(current_database()), coypu_check_text(trim(split_part(t, '.', 1), '"')), coypu_check_text(trim(split_part(t, '.', 2), '"')),
                           getvariable('prev_model_snapshot')::BIGINT + 1, getvariable('curr_snapshot')::BIGINT, percent) END);

-- sum_delta(col, percent): the sum differs by more than this share from the commit before this one
CREATE MACRO ondatra_warning_sum_delta(t, col, percent) AS TABLE
    FROM query(coypu_check_change(t, 'sum', 'sum', col, percent));

-- mean_delta(col, percent): the mean differs by more than this share from the commit before this one
CREATE MACRO ondatra_warning_mean_delta(t, col, percent) AS TABLE
    FROM query(coypu_check_change(t, 'mean', 'avg', col, percent));

-- approaching_limit(col): the greatest value is above 90 % of the variable alert_amount_threshold
CREATE MACRO ondatra_warning_approaching_limit(t, col) AS TABLE
    FROM query(format('SELECT concat(''max('', {2}, '') is '', m, '', above 90 % of '', getvariable(''alert_amount_threshold''))
                       FROM (SELECT max({1}) AS m FROM {0}) WHERE m > 0.9 * getvariable(''alert_amount_threshold'')',
                      t, coypu_check_column(col), coypu_check_text(col)));

-- low_entropy(col, least): the Shannon entropy, in bits, is below the limit
CREATE MACRO ondatra_warning_low_entropy(t, col, least) AS TABLE
    FROM query(coypu_check_aggregate(t, 'entropy', 'entropy', col, '>=', least));

-- cardinality(col, op, n): about how many distinct values there are violates the comparison
CREATE MACRO ondatra_warning_cardinality(t, col, op, n) AS TABLE
    FROM query(coypu_check_aggregate(t, 'cardinality', 'approx_count_distinct', col, op, n));
