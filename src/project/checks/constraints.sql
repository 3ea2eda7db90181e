-- @constraint: macros over the rows about to be written.  No row: passed; each row: one message.

-- not_null(col): there is a NULL
CREATE MACRO ondatra_constraint_not_null(t, col) AS TABLE
    FROM query(coypu_check_nulls(t, col));

-- not_empty(col): a value is NULL or blank
CREATE MACRO ondatra_constraint_not_empty(t, col) AS TABLE
    FROM query(coypu_check_rows(t, NULL, NULL, format('{0} IS NULL OR NOT regexp_matches({0}::VARCHAR, ''\S'')', coypu_check_column(col)),
                                concat(col, ' is empty')));

-- at_least_one(col): no row has a value
CREATE MACRO ondatra_constraint_at_least_one(t, col) AS TABLE
    FROM query(format('SELECT concat({2}, '' is NULL in all of '', total, '' rows'') FROM (SELECT count(*) AS total, count({1}) AS n FROM {0}) WHERE n = 0',
                      t, coypu_check_column(col), coypu_check_text(col)));

-- null_percent(col, percent): the share of NULL reaches the limit
CREATE MACRO ondatra_constraint_null_percent(t, col, percent) AS TABLE
    FROM query(coypu_check_null_percent(t, col, percent));

-- unique(col): a value occurs twice; NULL is a value, too
CREATE MACRO ondatra_constraint_unique(t, col) AS TABLE
    FROM query(coypu_check_repeated(t, coypu_check_column(col), col));

-- composite_unique(cols): a combination, such as 'region, year', occurs twice
CREATE MACRO ondatra_constraint_composite_unique(t, cols) AS TABLE
    FROM query(coypu_check_repeated(t, coypu_check_columns(cols), cols));

-- primary_key(col): a value is NULL or occurs twice
CREATE MACRO ondatra_constraint_primary_key(t, col) AS TABLE
    FROM query(coypu_check_nulls(t, col)) UNION ALL
    FROM query(coypu_check_repeated(format('(FROM {} WHERE {} IS NOT NULL)', t, coypu_check_column(col)), coypu_check_column(col), col));

-- compare(col, op, value): a value violates the comparison; op is one of >= > <= < = !=
CREATE MACRO ondatra_constraint_compare(t, col, op, value) AS TABLE
    FROM query(coypu_check_rows(t, col, coypu_check_column(col),
                                format('NOT ({} {} {})', coypu_check_column(col), coypu_check_operator(op), coypu_check_value(value)),
                                format('{} is not {} {}', col, op, value)));

-- between(col, low, high): a value lies outside of the range, whose ends belong to it
CREATE MACRO ondatra_constraint_between(t, col, low, high) AS TABLE
    FROM query(coypu_check_rows(t, col, coypu_check_column(col),
                                format('{} NOT BETWEEN {} AND {}', coypu_check_column(col), coypu_check_value(low), coypu_check_value(high)),
                                format('{} is not between {} and {}', col, low, high)));

-- in_list(col, items): a value, as text, is not among the items, such as 'new, paid'
CREATE MACRO ondatra_constraint_in_list(t, col, items) AS TABLE
    FROM query(coypu_check_rows(t, col, coypu_check_column(col),
                                format('{}::VARCHAR NOT IN ({})', coypu_check_column(col), coypu_check_items(items)),
                                format('{} is not one of {}', col, items)));

-- not_in(col, items): a value, as text, is among the items
CREATE MACRO ondatra_constraint_not_in(t, col, items) AS TABLE
    FROM query(coypu_check_rows(t, col, coypu_check_column(col),
                                format('{}::VARCHAR IN ({})', coypu_check_column(col), coypu_check_items(items)),
                                format('{} is one of {}', col, items)));

-- not_constant(col): there are fewer than two distinct values
CREATE MACRO ondatra_constraint_not_constant(t, col) AS TABLE
    FROM query(coypu_check_measure(t, concat('the number of distinct values of ', col), format('count(DISTINCT {})', coypu_check_column(col)), '>=', 2));

-- like(col, pattern): a value does not match the LIKE pattern
CREATE MACRO ondatra_constraint_like(t, col, pattern) AS TABLE
    FROM query(coypu_check_rows(t, col, coypu_check_column(col),
                                format('{}::VARCHAR NOT LIKE {}', coypu_check_column(col), coypu_check_text(pattern)),
                                format('{} is not like {}', col, pattern)));

-- not_like(col, pattern): a value matches the LIKE pattern
CREATE MACRO ondatra_constraint_not_like(t, col, pattern) AS TABLE
    FROM query(coypu_check_rows(t, col, coypu_check_column(col),
                                format('{}::VARCHAR LIKE {}', coypu_check_column(col), coypu_check_text(pattern)),
                                format('{} is like {}', col, pattern)));

-- matches(col, regex): a value does not match the regular expression from end to end
CREATE MACRO ondatra_constraint_matches(t, col, regex) AS TABLE
    FROM query(coypu_check_rows(t, col, coypu_check_column(col),
                                format('NOT regexp_full_match({}::VARCHAR, {})', coypu_check_column(col), coypu_check_text(regex)),
                                format('{} does not match {}', col, regex)));

-- email(col): a value has not the form of an address
CREATE MACRO ondatra_constraint_email(t, col) AS TABLE
    FROM query(coypu_check_rows(t, col, coypu_check_column(col),
                                format('NOT regexp_full_match({}::VARCHAR, ''[^@\s]+@[^@\s.]+(\.[^@\s.]+)+'')', coypu_check_column(col)),
                                concat(col, ' is no e-mail address')));

-- uuid(col): a value is no UUID
CREATE MACRO ondatra_constraint_uuid(t, col) AS TABLE
    FROM query(coypu_check_rows(t, col, coypu_check_column(col),
                                format('{0} IS NOT NULL AND TRY_CAST({0}::VARCHAR AS UUID) IS NULL', coypu_check_column(col)),
                                concat(col, ' is no UUID')));

-- valid_type(col, type): a value cannot be cast to the type
CREATE MACRO ondatra_constraint_valid_type(t, col, type) AS TABLE
    FROM query(coypu_check_rows(t, col, coypu_check_column(col),
                                format('{0} IS NOT NULL AND TRY_CAST({0} AS {1}) IS NULL', coypu_check_column(col), type),
                                format('{} is no {}', col, type)));

-- length_between(col, shortest, longest): the text of a value is shorter or longer
CREATE MACRO ondatra_constraint_length_between(t, col, shortest, longest) AS TABLE
    FROM query(coypu_check_rows(t, col, coypu_check_column(col),
                                format('length({}::VARCHAR) NOT BETWEEN {} AND {}', coypu_check_column(col), shortest, longest),
                                format('the length of {} is not between {} and {}', col, shortest, longest)));

-- length_eq(col, n): the text of a value has another length
CREATE MACRO ondatra_constraint_length_eq(t, col, n) AS TABLE
    FROM query(coypu_check_rows(t, col, coypu_check_column(col),
                                format('length({}::VARCHAR) <> {}', coypu_check_column(col), n),
                                format('the length of {} is not {}', col, n)));

-- references(col, other, key): a value is not in the key column of the other table
CREATE MACRO ondatra_constraint_references(t, col, other, key_col) AS TABLE
    FROM query(coypu_check_rows_of(t, format('(SELECT *, {} AS __ondatra_value FROM {}) AS __ondatra_rows', coypu_check_column(col), t),
                                   col, '__ondatra_value',
                                   format('__ondatra_value IS NOT NULL AND NOT EXISTS (FROM {} AS __ondatra_other WHERE {} = __ondatra_rows.__ondatra_value)',
                                          other, coypu_check_column(key_col)),
                                   format('{} is not in {}.{}', col, other, key_col)));

-- sequential(col): in sorted order, two neighbours differ by more than 1
CREATE MACRO ondatra_constraint_sequential(t, col) AS TABLE
    FROM query(coypu_check_steps(t, col, 1));

-- sequential_step(col, n): in sorted order, two neighbours differ by more than n
CREATE MACRO ondatra_constraint_sequential_step(t, col, n) AS TABLE
    FROM query(coypu_check_steps(t, col, n));

-- distinct_count(col, op, n): the number of distinct values violates the comparison
CREATE MACRO ondatra_constraint_distinct_count(t, col, op, n) AS TABLE
    FROM query(coypu_check_measure(t, concat('the number of distinct values of ', col), format('count(DISTINCT {})', coypu_check_column(col)), op, n));

-- duplicate_percent(col, percent): the share of values that repeat another reaches the limit
CREATE MACRO ondatra_constraint_duplicate_percent(t, col, percent) AS TABLE
    FROM query(format('SELECT format(''{{:.2f}} % of {{}} are duplicates ({{}} of {{}}), the limit is {{}} %'', 100.0 * n / total, {2}, n, total, {3})
                       FROM (SELECT count({1}) AS total, count({1}) - count(DISTINCT {1}) AS n FROM {0}) WHERE total > 0 AND 100.0 * n / total >= {3}',
                      t, coypu_check_column(col), coypu_check_text(col), percent));

-- no_overlap(start, end): two intervals overlap or begin together; one may begin where another ends
CREATE MACRO ondatra_constraint_no_overlap(t, start_col, end_col) AS TABLE
    FROM query(coypu_check_rows_of(t, format('(SELECT *, {1} < max({2}) OVER (ORDER BY {1}, {2} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS __ondatra_inside,
                                               {1} = lag({1}) OVER (ORDER BY {1}, {2}) AS __ondatra_together FROM {0} WHERE {1} IS NOT NULL AND {2} IS NOT NULL)',
                                             t, coypu_check_column(start_col), coypu_check_column(end_col)),
                                   start_col, coypu_check_column(start_col), '(__ondatra_inside OR __ondatra_together)',
                                   concat(start_col, ' lies before the end of an earlier interval')));

-- no_nan(col): a value is NaN
CREATE MACRO ondatra_constraint_no_nan(t, col) AS TABLE
    FROM query(coypu_check_rows(t, col, coypu_check_column(col), format('isnan({}::DOUBLE)', coypu_check_column(col)), concat(col, ' is NaN')));

-- finite(col): a value is NaN or infinite
CREATE MACRO ondatra_constraint_finite(t, col) AS TABLE
    FROM query(coypu_check_rows(t, col, coypu_check_column(col), format('NOT isfinite({}::DOUBLE)', coypu_check_column(col)), concat(col, ' is not finite')));

-- required_if(col, condition): a value is NULL where the SQL condition holds
CREATE MACRO ondatra_constraint_required_if(t, col, condition) AS TABLE
    FROM query(coypu_check_rows(t, NULL, NULL, format('({}) AND {} IS NULL', condition, coypu_check_column(col)), format('{} is NULL where {}', col, condition)));

-- check(label, expression): the SQL expression is false for a row
CREATE MACRO ondatra_constraint_check(t, label, expression) AS TABLE
    FROM query(coypu_check_rows(t, NULL, NULL, format('NOT ({})', expression), format('{}: {} is false', label, expression)));
