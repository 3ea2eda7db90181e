"""FROM lib('…'): pages into a table (libs.md §5)."""
import re

TYPED = "SELECT id::BIGINT AS id, name::VARCHAR AS name FROM shop('orders')"


def orders(*ids):
    return [{"id": i, "name": f"order {i}"} for i in ids]


def test_pages_become_a_typed_table(project, fetch_lib):
    fetch_lib.pages("/orders", [orders(1, 2), orders(3, 4), orders(5)])
    project.write({"models/raw/orders.sql": TYPED})
    result = project.run_json()
    assert result.models["raw.orders"]["rows_affected"] == 5
    assert project.sql("select id, name from raw.orders order by id") == orders(1, 2, 3, 4, 5)
    assert [r.query.get("cursor") for r in fetch_lib.seen("GET")] == [None, "1", "2"]
    assert all(r.query["limit"] == "2" for r in fetch_lib.seen("GET"))


def test_page_7_failing_leaves_nothing_behind_and_the_next_run_recovers(project, fetch_lib):
    pages = [orders(2 * i, 2 * i + 1) for i in range(10)]
    fetch_lib.pages("/orders", pages)
    healthy = fetch_lib.routes[("GET", "/orders")]
    fetch_lib.on("GET", "/orders", lambda r: (404, {"error": "gone"}) if r.query.get("cursor") == "6" else healthy(r))
    project.write({"models/raw/orders.sql": "-- @kind: append\n" + TYPED})
    result = project.run_json(code=1)
    error = result.models["raw.orders"]
    assert error["status"] == "error" and "page 7" in error["errors"][0] and "HTTP 404" in error["errors"][0]
    tables = project.sql("select count(*) as n from information_schema.tables where table_schema = 'raw'")
    if tables[0]["n"]:
        assert project.value("select count(*) as n from raw.orders") == 0
    fetch_lib.on("GET", "/orders", healthy)
    project.run_json()
    assert project.value("select count(*) as n from raw.orders") == 20


def test_a_column_that_changes_type_on_page_3_becomes_text_whatever_the_order(project, fetch_lib):
    pages = [[{"v": 1}], [{"v": 2}], [{"v": "three"}], [{"v": 4.5}]]
    for name, order in {"up": pages, "down": pages[::-1]}.items():
        fetch_lib.pages(f"/{name}", order)
        project.write({f"models/raw/{name}.sql": f"SELECT v FROM shop('{name}')"})
    project.run_json()
    for name in ("up", "down"):
        assert sorted(r["v"] for r in project.sql(f"select v from raw.{name}")) == ["1", "2", "4.5", "three"]
        assert project.value(f"select distinct typeof(v) as t from raw.{name}") == "VARCHAR"


def test_a_20_digit_integer_keeps_every_digit(project, fetch_lib):
    big = 12345678901234567890
    # More rows than DuckLake keeps in its catalog, so that they go through Parquet.
    fetch_lib.pages("/orders", [[{"id": big + i, "small": 9007199254740993 + i} for i in range(50)]])
    project.write({"models/raw/typed.sql": "SELECT id::HUGEINT AS id, small::BIGINT AS small FROM shop('orders')",
                   "models/raw/untyped.sql": "SELECT id, small FROM shop('orders')",
                   "models/raw/everything.sql": "SELECT * FROM shop('orders')"})
    project.run_json()
    for table in ("typed", "untyped", "everything"):
        assert project.sql(f"select id::varchar as id, small, typeof(small) as t from raw.{table} order by small") == [
            {"id": str(big + i), "small": 9007199254740993 + i, "t": "BIGINT"} for i in range(50)]


def test_decimals_never_pass_through_a_double(project, fetch_lib):
    fetch_lib.on("GET", "/orders", (200, b'{"data": [{"price": 0.1}, {"price": 1234567890.12}], "next": null}'))
    project.write({"models/raw/prices.sql": "SELECT price::DECIMAL(18,2) AS price FROM shop('orders')"})
    project.run_json()
    assert project.value("select sum(price)::varchar as s from raw.prices") == "1234567890.22"


def test_a_column_without_an_alias_is_called_by_its_text(project, fetch_lib):
    fetch_lib.pages("/orders", [[{"cents": 250}]])
    project.write({"models/raw/orders.sql": "SELECT cents::BIGINT * 1e-2, cents::BIGINT / 100.0 FROM shop('orders')"})
    project.run_json()
    assert project.sql("from raw.orders") == [
        {"(CAST(cents AS BIGINT) * 0.01)": 2.5, "(CAST(cents AS BIGINT) / 100.0)": 2.5}]


def test_a_column_no_row_has_is_null_with_the_type_of_its_cast(project, fetch_lib):
    fetch_lib.pages("/orders", [orders(1)])
    project.write({"models/raw/orders.sql": "SELECT id::BIGINT AS id, gone::DATE AS gone FROM shop('orders')"})
    project.run_json()
    assert project.sql("select gone, typeof(gone) as t from raw.orders") == [{"gone": None, "t": "DATE"}]


def test_500_twice_then_200_is_retried(project, fetch_lib):
    fetch_lib.pages("/orders", [orders(1)])
    healthy, answers = fetch_lib.routes[("GET", "/orders")], [500, 500]
    fetch_lib.on("GET", "/orders", lambda r: (answers.pop(), {"error": "busy"}) if answers else healthy(r))
    project.write({"models/raw/orders.sql": TYPED})
    project.run_json()
    assert project.value("select count(*) as n from raw.orders") == 1
    assert len(fetch_lib.seen("GET")) == 3


def test_429_with_retry_after_is_waited_for(project, fetch_lib):
    fetch_lib.pages("/orders", [orders(1)])
    healthy, answers = fetch_lib.routes[("GET", "/orders")], [(429, {"error": "slow down"}, {"Retry-After": "1"})]
    fetch_lib.on("GET", "/orders", lambda r: answers.pop() if answers else healthy(r))
    project.write({"models/raw/orders.sql": TYPED})
    project.run_json()
    first, second = fetch_lib.seen("GET")
    assert second.time - first.time >= 0.99
    assert project.value("select count(*) as n from raw.orders") == 1


def failing_fetch(project, api, answer):
    api.on("GET", "/orders", answer)
    project.write({"models/raw/orders.sql": TYPED, "models/mart/down.sql": "SELECT * FROM raw.orders"})
    result = project.run_json(code=1)
    assert result.models["raw.orders"]["status"] == "error", result
    assert result.models["mart.down"]["status"] == "skip", result
    assert result.models["mart.down"]["skipped_because"] == "raw.orders"
    message = result.models["raw.orders"]["errors"][0]
    assert "models/raw/orders.sql" in message or "shop" in message
    api.pages("/orders", [orders(7)])
    project.run_json()
    assert project.sql("select id from mart.down") == [{"id": 7}]
    return message


def test_401_fails_the_model_with_the_status(project, fetch_lib):
    assert "HTTP 401" in failing_fetch(project, fetch_lib, (401, {"error": "who are you"}))


def test_404_fails_the_model_with_the_status(project, fetch_lib):
    assert "HTTP 404" in failing_fetch(project, fetch_lib, (404, {"error": "nothing here"}))


def test_429_for_ever_ends_after_the_retries(project, fetch_lib):
    message = failing_fetch(project, fetch_lib, (429, {"error": "never"}))
    assert "HTTP 429" in message
    assert len([r for r in fetch_lib.seen("GET", "/orders")]) == 3 + 1


def test_a_retry_after_of_an_hour_fails_at_once_and_says_so(project, fetch_lib):
    message = failing_fetch(project, fetch_lib, (429, {"error": "later"}, {"Retry-After": "3600"}))
    assert "3600" in message


def test_html_instead_of_json_is_an_error_that_shows_it(project, fetch_lib):
    fetch_lib.on("GET", "/orders", (200, b"<html>login</html>", {"Content-Type": "text/html"}))
    project.write({"models/raw/orders.sql": TYPED})
    result = project.run("run", code=1)
    assert f"the body of {fetch_lib.url}/orders?limit=2 (HTTP 200) is not JSON, so .json is None: <html>login</html>" in result.out
    detail = project.run_json(code=1).models["raw.orders"]["errors_detail"][0]
    assert "is not JSON" in detail["hint"]
    failing_fetch(project, fetch_lib, (200, b"<html>login</html>", {"Content-Type": "text/html"}))


def test_a_body_cut_half_way_is_never_a_short_page(project, fetch_lib):
    message = failing_fetch(project, fetch_lib, (200, fetch_lib.CUT))
    assert "3 attempts" in message


def test_a_page_that_repeats_its_cursor_ends_with_an_error(project, fetch_lib):
    message = failing_fetch(project, fetch_lib, lambda r: (200, {"data": [], "next": "same"}))
    assert "cursor does not advance" in message


def test_invalid_utf8_in_a_body_is_an_error(project, fetch_lib):
    message = failing_fetch(project, fetch_lib, (200, b'{"data": [{"id": 1, "name": "\xff\xfe"}], "next": null}'))
    assert "UTF-8" in message or "JSON" in message or "NoneType" in message


def test_columns_kwarg_tells_the_casts_and_kwargs_are_filtered(project, api):
    project.write({
        "lib/probe.star": '''
API = {"fetch": {"args": ["what"]}}

def fetch(what, page, columns, target, is_backfill):
    return {"rows": [{"seen": json.encode(columns), "target": target, "what": what, "first": is_backfill,
                      "number": page.number, "cursor": page.cursor}]}
''',
        "models/raw/probe.sql": "SELECT seen::VARCHAR AS seen, target::VARCHAR AS target, what::VARCHAR AS what, "
                                "first::BOOLEAN AS first, number::INTEGER AS number, cursor AS cursor "
                                "FROM probe('a' || 'b')"})
    project.run_json()
    row = project.sql("select * from raw.probe")[0]
    assert (row["target"], row["what"], row["first"], row["number"], row["cursor"]) == ("raw.probe", "ab", True, 1, None)
    assert '"name":"number"' in row["seen"] and re.search(r'"name":"number"[^}]*"type":"integer"', row["seen"])


def test_incremental_asks_only_for_what_is_new(project, api):
    project.write({
        "lib/events.star": '''
API = {"base_url": "%s", "fetch": {}}

def fetch(page):
    resp = http.get("/events", params = {"since": incremental.last_value})
    if not resp.ok:
        fail("HTTP " + str(resp.status_code))
    return {"rows": resp.json}
''' % api.url,
        "models/raw/events.sql": "-- @kind: append\n-- @incremental: day\n-- @incremental_initial: 2024-01-01\n"
                                 "SELECT day::VARCHAR AS day, n::INTEGER AS n FROM events()"})
    api.on("GET", "/events", lambda r: (200, [{"day": "2024-01-02", "n": 1}] if r.query["since"] == "2024-01-01" else []))
    project.run_json()
    snapshots = project.snapshots()
    project.run_json()
    assert [r.query["since"] for r in api.seen()] == ["2024-01-01", "2024-01-02"]
    assert project.value("select count(*) as n from raw.events") == 1
    assert project.snapshots() == snapshots


def test_abort_leaves_the_target_as_it_was(project, fetch_lib, api):
    project.write({"lib/maybe.star": '''
API = {"base_url": "%s", "fetch": {"page_size": 1}}

def fetch(page):
    rows = http.get("/rows").json
    if not rows:
        abort()
    return {"rows": rows}
''' % api.url, "models/raw/rows.sql": "SELECT id::BIGINT AS id FROM maybe()"})
    api.on("GET", "/rows", (200, [{"id": 1}]))
    project.run_json()
    api.on("GET", "/rows", (200, []))
    snapshots = project.snapshots()
    result = project.run("run", code=0)
    assert "(aborted)" in result.out
    assert project.sql("select id from raw.rows") == [{"id": 1}] and project.snapshots() == snapshots


def test_abort_before_there_is_a_table_lets_what_reads_it_wait(project, api):
    project.write({"lib/maybe.star": """
API = {"base_url": "%s", "fetch": {"page_size": 1}}

def fetch(page):
    rows = http.get("/rows").json
    if not rows:
        abort()
    return {"rows": rows}
""" % api.url, "models/raw/rows.sql": "SELECT id::BIGINT AS id FROM maybe()", "models/mart/n.sql": "SELECT count(*) AS n FROM raw.rows",
                   "models/mart/m.sql": "SELECT n FROM mart.n"})
    api.on("GET", "/rows", (200, []))
    result = project.run("run", code=0)
    assert "[OK] raw.rows (table, backfill, 0 rows, " in result.out and "first run) (aborted)" in result.out
    assert result.out.count("raw.rows has no table yet") == 2
    api.on("GET", "/rows", (200, [{"id": 1}]))
    project.run("run", code=0)
    assert project.value("select n from mart.m") == 1


def test_two_calls_in_one_join(project, fetch_lib):
    fetch_lib.pages("/orders", [[{"id": 1, "who": 7}], [{"id": 2, "who": 8}]]).pages("/people", [[{"who": 8, "name": "Åsa"}]])
    project.write({"models/raw/joined.sql": "SELECT o.id::BIGINT AS id, p.name::VARCHAR AS name FROM shop('orders') o "
                                            "JOIN shop('people') p ON o.who::INT = p.who::INT"})
    project.run_json()
    assert project.sql("select * from raw.joined") == [{"id": 2, "name": "Åsa"}]


def test_secrets_from_env_never_show(project, fetch_lib):
    secret = "hunter2-hunter2-hunter2"
    project.write({".env": f"SHOP_KEY={secret}\n",
                   "lib/shop.star": '''
API = {"base_url": "%s", "auth": {"env": "SHOP_KEY"}, "fetch": {"args": ["resource"]}}

def fetch(resource, page):
    print("using", env.get("SHOP_KEY"))
    resp = http.get("/" + resource, params = {"token": env.get("SHOP_KEY")})
    fail("refused for " + env.get("SHOP_KEY") + ": " + resp.text)
''' % fetch_lib.url, "models/raw/orders.sql": TYPED})
    fetch_lib.on("GET", "/orders", lambda r: (403, {"sent": r.headers["Authorization"]}))
    for args in (["run"], ["run", "--json"]):
        result = project.run(*args, code=1)
        assert secret not in result.out + result.err
        assert "[REDACTED]" in result.out + result.err
    assert fetch_lib.seen()[0].headers["Authorization"] == f"Bearer {secret}"
    assert all(secret.encode() not in f.read_bytes() for f in project.root.rglob("*") if f.is_file() and f.name != ".env")


def test_an_unset_auth_variable_sends_no_request(project, fetch_lib):
    project.write({"lib/shop.star": '''
API = {"base_url": "%s", "auth": {"env": "NOT_SET_ANYWHERE"}, "fetch": {"args": ["resource"]}}

def fetch(resource, page):
    return {"rows": http.get("/" + resource).json}
''' % fetch_lib.url, "models/raw/orders.sql": TYPED})
    result = project.run_json(code=1)
    assert "auth: NOT_SET_ANYWHERE is not set (lib/shop.star)" in result.models["raw.orders"]["errors"][0]
    assert fetch_lib.seen() == []


def test_a_runtime_error_shows_a_backtrace(project, api):
    project.write({
        "lib/_util.star": 'def parse(d):\n    return [x for x in d["itemz"]]\n',
        "lib/broken.star": 'load("lib/_util.star", "parse")\n\nAPI = {"fetch": {}}\n\ndef fetch(page):\n'
                           '    return {"rows": parse({"items": []})}\n',
        "models/raw/broken.sql": "SELECT id::BIGINT AS id FROM broken()"})
    result = project.run("run", code=1)
    text = result.out + result.err
    assert 'key "itemz" not in dict' in text
    assert "lib/broken.star:6" in text and "lib/_util.star:2" in text


def test_select_star_without_rows_and_without_table_is_skipped_with_a_warning(project, fetch_lib):
    fetch_lib.pages("/orders", [[]])
    project.write({"models/raw/orders.sql": "SELECT * FROM shop('orders')",
                   "models/mart/orders.sql": "SELECT * FROM raw.orders",
                   "models/mart/other.sql": "SELECT 1 AS id"})
    result = project.run_json()
    model = result.models["raw.orders"]
    assert model["status"] == "skip" and model["rows_affected"] == 0, result
    assert model["warnings"] == [
        "lib shop: no row came, so SELECT * has no columns: nothing is written"]
    text = project.run("run", code=0).out
    assert ("[SKIPPED] raw.orders (table, backfill, 0 rows" in text and
            "WARN: models/raw/orders.sql:1:15: lib shop: no row came, so SELECT * has no columns: nothing is written\n" in text and
            "hint: name the columns, with casts, for a table that exists before its first row\n" in text and
            "— raw.orders has no table yet)" in text), text
    assert result.models["mart.orders"]["status"] == "skip"
    assert result.models["mart.orders"]["skipped_because"] == "raw.orders"
    assert result.models["mart.other"]["status"] == "ok"
    fetch_lib.pages("/orders", [orders(1)])
    project.run_json()
    assert project.sql("select id, name from mart.orders") == orders(1)


def test_select_star_without_rows_empties_a_table_that_exists(project, fetch_lib):
    fetch_lib.pages("/orders", [[{"id": 1, "day": "2024-01-02", "tags": ["a"]}]])
    project.write({"models/raw/orders.sql": "SELECT * REPLACE (day::DATE AS day) FROM shop('orders')",
                   "models/raw/log.sql": "-- @kind: append\nSELECT * FROM shop('orders')",
                   "models/raw/both.sql": "SELECT * FROM shop('orders') UNION ALL SELECT * FROM shop('more')"})
    fetch_lib.pages("/more", [[{"id": 2, "day": "2024-01-03", "tags": []}]])
    project.run_json()
    types = project.sql("select column_name, column_type from (describe raw.orders)")
    fetch_lib.pages("/orders", [[]])
    result = project.run_json()
    assert [m["warnings"] for m in result.models.values()] == [[], [], []], result
    assert project.value("select count(*) as n from raw.orders") == 0
    assert project.sql("select column_name, column_type from (describe raw.orders)") == types
    assert project.value("select count(*) as n from raw.log") == 1
    assert project.sql("select id from raw.both") == [{"id": 2}]


def test_count_star_over_no_rows_is_zero(project, fetch_lib):
    fetch_lib.pages("/orders", [[]])
    project.write({"models/raw/n.sql": "SELECT count(*) AS n FROM shop('orders')"})
    project.run_json()
    assert project.value("select n from raw.n") == 0
