"""Results of checks as `run` tells and `describe` shows them (docs/reference/checks.md)."""


def results(project, target):
    """Outcome of each check, by its text, as `describe` shows it."""
    lines = project.run("describe", target, code=0).out.splitlines()
    rows = [line.strip("│ ").split("  ") for line in lines if "constraint  " in line or "audit  " in line or "warning  " in line]
    return {cells[1]: cells[2] for cells in ([c.strip() for c in row if c.strip()] for row in rows)}


def test_a_check_behind_one_that_cannot_be_evaluated_has_its_result(project):
    project.write({"models/mart/t.sql": """-- @constraint: compare(ts, >, 'abc')
-- @constraint: not_null(x)
SELECT NULL::INT AS x, TIMESTAMP '2024-01-01' AS ts
"""})
    run = project.run("run", code=1)
    assert run.out.count("ERROR:") == 2 and "not_null(x) failed: x is NULL in 1 of 1 row" in run.out, run
    assert results(project, "mart.t") == {"compare(ts, >, 'abc')": "error", "not_null(x)": "fail"}


def test_an_audit_behind_one_that_cannot_be_evaluated_has_its_result(project):
    project.write({"models/mart/t.sql": """-- @audit: stddev(f, 5)
-- @audit: row_count(>, 9)
SELECT unnest([1.0, 'inf'::DOUBLE]) AS f
"""})
    run = project.run("run", code=1)
    assert "row_count(>, 9) failed: the number of rows is 2, not > 9" in run.out, run
    assert results(project, "mart.t") == {"stddev(f, 5)": "error", "row_count(>, 9)": "fail"}


def test_a_model_that_fetches_says_which_checks_were_not_evaluated(project):
    project.write({
        "lib/rows.star": 'API = {"fetch": {"args": []}}\n\ndef fetch(page):\n    return {"rows": [{"x": 1, "s": "a"}]}\n',
        "models/raw/t.sql": """-- @constraint: not_null(x)
-- @constraint: compare(s::INTEGER, >, 1)
-- @constraint: compare(x, >, 1)
SELECT x::BIGINT AS x, s::VARCHAR AS s FROM rows()
"""})
    run = project.run("run", code=1)
    assert ("@constraint: compare(x, >, 1) cannot be evaluated: the rows fetched were gone when compare(s::INTEGER, >, 1) "
            "had failed") in run.out, run
    assert results(project, "raw.t") == {"not_null(x)": "pass", "compare(s::INTEGER, >, 1)": "error", "compare(x, >, 1)": "error"}


def test_describe_shows_no_old_pass_of_a_check_whose_column_is_gone(project):
    model = "-- @warning: not_null(v)\n-- @warning: row_count(>, 0)\nSELECT 1 AS id, 2 AS %s\n"
    project.write({"models/mart/t.sql": model % "v"})
    project.run("run", code=0)
    assert results(project, "mart.t") == {"not_null(v)": "pass", "row_count(>, 0)": "pass"}
    project.write({"models/mart/t.sql": model % "w"})
    run = project.run("run", code=0)
    assert 'not_null names "v", which the query does not produce' in run.out, run
    assert results(project, "mart.t") == {"not_null(v)": "error", "row_count(>, 0)": "pass"}
    stored = project.value("SELECT commit_extra_info->'checks'->0->>'outcome' AS o FROM lake.snapshots() ORDER BY snapshot_id DESC LIMIT 1")
    assert stored == "error"


def test_a_column_in_quotes_is_a_column_whatever_its_name(project):
    project.write({
        "models/raw/other.sql": 'SELECT 1 AS "id x"',
        "models/mart/t.sql": """-- @constraint: not_null("a b")
-- @constraint: unique("select")
-- @constraint: composite_unique('"a b", "e""q, ö"')
-- @constraint: composite_unique("a b")
-- @constraint: references("a b", raw.other, "id x")
-- @constraint: compare("e""q, ö", >, 5)
-- @audit: sum("a b", =, 1)
-- @audit: column_exists("a b")
-- @audit: reconcile_sum("a b", raw.other, "id x")
-- @warning: sum_delta("a b", 10)
SELECT 1 AS "a b", 2 AS "select", 3 AS "e""q, ö"
"""})
    project.run("validate", code=0)
    project.run("run", "raw.other", code=0)
    run = project.run("run", "mart.t", code=1)
    assert run.out.count("ERROR:") == 1, run
    assert """"e""q, ö" is not > 5 in 1 of 1 row ("e""q, ö": 3)""" in run.out, run
    assert set(results(project, "mart.t").values()) == {"pass", "fail", "-"}


def test_a_column_in_quotes_that_is_not_there_is_found_by_validate(project):
    project.write({"models/mart/t.sql": """-- @constraint: not_null("a c")
-- @constraint: composite_unique('v, "a d"')
SELECT 1 AS "a b", 2 AS v
"""})
    found = project.run("validate", code=1).out
    assert 'not_null names "a c", which the query does not produce' in found
    assert 'composite_unique names "a d", which the query does not produce' in found


def test_golden_compares_columns_whatever_their_names(project):
    project.write({"golden.csv": '"e""q","a b"\n1,2\n', "models/mart/t.sql":
                   '-- @audit: golden(golden.csv)\nSELECT 1 AS "e""q", 2 AS "a b"\n'})
    project.run("run", code=0)
    project.write({"golden.csv": '"e""q","a b"\n1,3\n', "models/mart/t.sql":
                   '-- @audit: golden(golden.csv)\nSELECT 1 AS "e""q", 2 + 0 AS "a b"\n'})
    assert "1 row is not in golden.csv, 1 of its rows missing here" in project.run("run", code=1).out


def test_warnings_of_a_change_are_silent_when_the_commit_before_was_expired(project):
    model = """-- @warning: sum_delta(v, 10)
-- @warning: mean_delta(v, 10)
-- @warning: row_count_delta(10)
SELECT 1 AS id, %d AS v
"""
    project.write({"models/mart/t.sql": model % 1, "models/raw/other.sql": "SELECT 1 AS x",
                   "sql/expire.sql": "CALL ducklake_expire_snapshots('lake', older_than => now() + INTERVAL 1 DAY);"})
    project.run("run", code=0)
    project.write({"models/raw/other.sql": "SELECT 2 AS x"})
    project.run("run", "raw.other", code=0)
    project.run("expire", code=0)
    project.write({"models/mart/t.sql": model % 1000})
    run = project.run("run", code=0)
    assert "WARN" not in run.out, run
    assert set(results(project, "mart.t").values()) == {"pass"}
    project.write({"models/mart/t.sql": model % 2000})
    assert project.run("run", code=0).out.count("WARN") == 3
