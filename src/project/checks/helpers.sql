-- What the macros of the checks are made of: SQL text, put together by the macros below and run by
-- query(), which is how a macro can be given the name of a column.  format() fills in {0}, {1}, …;
-- {{}} in it is a {} of the query's own.
--
-- A message names what was measured, how many rows are wrong and up to three examples: the keys of
-- the rows when the model has a key (variables ondatra_check_key, such as id, and
-- ondatra_check_key_sql, such as "id"), else the values themselves.
--
-- NULL passes unless a check says otherwise: a condition that is NULL selects no row.

-- A name as SQL.
CREATE MACRO coypu_check_name(name) AS concat('"', replace(name, '"', '""'), '"');

-- A column as SQL: a plain name is quoted, as it may be a keyword; an expression, and a name in
-- quotes, stays what it is.
CREATE MACRO coypu_check_column(col) AS
    CASE WHEN regexp_full_match(col, '\w+') THEN coypu_check_name(col) ELSE concat('(', col, ')') END;

-- Several of them: 'a, "b c"' as ("a", ("b c")).
CREATE MACRO coypu_check_columns(cols) AS
    format('({})', array_to_string([coypu_check_column(trim(x)) FOR x IN regexp_extract_all(cols, '(?:"(?:[^"]|"")*"|[^,"])+')], ', '));

-- Text as SQL.
CREATE MACRO coypu_check_text(v) AS concat('''', replace(v::VARCHAR, '''', ''''''), '''');

-- A value as SQL: text in quotes, a number as it is.
CREATE MACRO coypu_check_value(v) AS
    CASE WHEN typeof(v) = 'VARCHAR' THEN coypu_check_text(v) ELSE v::VARCHAR END;

-- 'new, paid' as 'new', 'paid'.
CREATE MACRO coypu_check_items(items) AS
    array_to_string([coypu_check_text(trim(x)) FOR x IN string_split(items::VARCHAR, ',')], ', ');

CREATE MACRO coypu_check_operator(op) AS
    CASE WHEN op IN ('>=', '>', '<=', '<', '=', '!=') THEN op
         ELSE error(format('"{}" is not an operator: use one of >= > <= < = !=', op)) END;

-- SQL of " (id: 1, 2, 3)" over the rows of a SELECT; of '' when there is nothing to show.  `label`
-- and `shown`: what to show of a model without a key, NULL for nothing.
CREATE MACRO coypu_check_examples(label, shown) AS
    coalesce(format('coalesce('' ('' || {} || '': '' || array_to_string([left(x::VARCHAR, 60) FOR x IN min(DISTINCT {}, 3)], '', '') || '')'', '''')',
                    coypu_check_text(coalesce(getvariable('ondatra_check_key')::VARCHAR, label)),
                    coalesce(getvariable('ondatra_check_key_sql')::VARCHAR, shown)), '''''');

-- The rows of `source`, made of the table t, that meet the condition: "<what> in 2 of 9 rows …".
CREATE MACRO coypu_check_rows_of(t, source, label, shown, condition, what) AS
    format('SELECT concat({3}, '' in '', n, '' of '', total, CASE WHEN total = 1 THEN '' row'' ELSE '' rows'' END, examples)
            FROM (SELECT count(*) AS n, (SELECT count(*) FROM {0}) AS total, {4} AS examples FROM {1} WHERE {2}) WHERE n > 0',
           t, source, condition, coypu_check_text(what), coypu_check_examples(label, shown));

CREATE MACRO coypu_check_rows(t, label, shown, condition, what) AS
    coypu_check_rows_of(t, t, label, shown, condition, what);

-- Rows where a column is NULL.
CREATE MACRO coypu_check_nulls(t, col) AS
    coypu_check_rows(t, NULL, NULL, concat(coypu_check_column(col), ' IS NULL'), concat(col, ' is NULL'));

-- Neighbours in sorted order that differ by more than n.
CREATE MACRO coypu_check_steps(t, col, n) AS
    coypu_check_rows_of(t, format('(SELECT *, {0} - lag({0}) OVER (ORDER BY {0}) AS __ondatra_gap FROM {1} WHERE {0} IS NOT NULL)', coypu_check_column(col), t),
                        col, coypu_check_column(col), format('__ondatra_gap > {}', n), format('the step to {} is greater than {}', col, n));

-- Values that occur more than once; NULL is one value.
CREATE MACRO coypu_check_repeated(t, expression, label) AS
    format('SELECT concat({2}, '' is not unique: '', CASE WHEN count(*) = 1 THEN ''1 value occurs'' ELSE concat(count(*), '' values occur'') END,
            '' more than once, in '', sum(n), '' rows ('', {2}, '': '', array_to_string([left(x, 60) FOR x IN min(coalesce(v::VARCHAR, ''NULL''), 3)], '', ''), '')'')
            FROM (SELECT {1} AS v, count(*) AS n FROM {0} GROUP BY 1 HAVING count(*) > 1) HAVING count(*) > 0',
           t, expression, coypu_check_text(label));

-- One measured value: "mean(amount) is 3.5, not >= 10".  Without a value it fails.
CREATE MACRO coypu_check_measure(t, what, expression, op, v) AS
    format('SELECT CASE WHEN m IS NULL THEN {2} || '': there is no value'' ELSE concat({2}, '' is '', m, '', not {3} '', {5}) END
            FROM (SELECT {1} AS m FROM {0}) WHERE m IS NULL OR NOT (m {3} {4})',
           t, expression, coypu_check_text(what), coypu_check_operator(op), coypu_check_value(v), coypu_check_text(v));

CREATE MACRO coypu_check_aggregate(t, name, function, col, op, v) AS
    coypu_check_measure(t, format('{}({})', name, col), format('{}({})', function, coypu_check_column(col)), op, v);

CREATE MACRO coypu_check_null_percent(t, col, percent) AS
    format('SELECT format(''{{}} is NULL in {{:.2f}} % of the rows ({{}} of {{}}), the limit is {{}} %'', {2}, 100.0 * n / total, n, total, {3})
            FROM (SELECT count(*) FILTER (WHERE {1} IS NULL) AS n, count(*) AS total FROM {0}) WHERE total > 0 AND 100.0 * n / total >= {3}',
           t, coypu_check_column(col), coypu_check_text(col), percent);

CREATE MACRO coypu_check_freshness(t, col, span) AS
    format('SELECT CASE WHEN newest IS NULL THEN {2} || '': there is no value'' ELSE concat(''the newest '', {2}, '' is '', newest, '', older than '', {3}) END
            FROM (SELECT max({1}) AS newest FROM {0})
            WHERE newest IS NULL OR epoch(newest) < epoch(getvariable(''ondatra_run_time'')::TIMESTAMP - INTERVAL {3})',
           t, coypu_check_column(col), coypu_check_text(col), coypu_check_text(span));

-- The change of an aggregate since the model's commit before this one; silent without one.
CREATE MACRO coypu_check_change(t, name, function, col, percent) AS
    CASE WHEN coalesce(getvariable('prev_model_snapshot'), 0) = 0 THEN 'SELECT NULL WHERE false'
    ELSE format('SELECT concat({4}, ''('', {3}, '') changed from '', old, '' to '', now, '', by more than {5} %'')
                 FROM (SELECT (SELECT {2}({1})::DOUBLE FROM {0} AT (VERSION => {6})) AS old, (SELECT {2}({1})::DOUBLE FROM {0}) AS now)
                 WHERE abs(now - old) * 100 > abs(old) * {5}',
                t, coypu_check_column(col), function, coypu_check_text(col), coypu_check_text(name), percent,
                getvariable('prev_model_snapshot')::BIGINT) END;
