"""Names, values and accidents that nobody plans for: no row is lost, sent wrongly or changed."""
import shutil

import pytest

from test_push import MERGE


def rows_of(project, columns, rows):
    names = ", ".join('"' + c.replace('"', '""') + '"' for c in columns)
    values = ", ".join("(" + ", ".join(map(str, row)) + ")" for row in rows)
    project.write({"models/raw/src.sql": f"SELECT * FROM (VALUES {values}) t({names})"})


@pytest.mark.parametrize("column", ["change_type", "__s", "__r", "__i", "__k", "f", "select", "a/b~c", 'say "x"', "日本 x"])
def test_a_column_of_any_name_is_pushed_and_retried(project, sink, column):
    project.write({"models/sync/t.sql": "-- @kind: merge\n-- @unique_key: id\n-- @sink: crm\nSELECT * FROM raw.src"})
    rows_of(project, ["id", column], [(1, 7), (2, 7)])
    project.run_json()
    sink.forget()
    sink.status = lambda row: "error: no"
    rows_of(project, ["id", column], [(1, 8), (2, 7), (3, 1)])
    project.run_json(code=1)
    first = [("insert", 3, 1), ("update_postimage", 1, 8), ("update_preimage", 1, 7)]
    assert sink.events("id", column) == first
    sink.forget()
    project.run_json(code=1)
    assert sink.events("id", column) == first
    sink.forget()
    sink.status = lambda row: "ok"
    rows_of(project, ["id", column], [(1, 9), (2, 10), (3, 1)])
    project.run_json()
    assert sink.events("id", column) == [("insert", 3, 1), ("update_postimage", 1, 9), ("update_postimage", 2, 10),
                                         ("update_preimage", 1, 7), ("update_preimage", 2, 7)]


@pytest.mark.parametrize("column", ["rowid", "Snapshot_ID", "__ondatra_rowid"])
def test_a_column_that_would_hide_one_of_the_lake_is_refused(project, column):
    rows_of(project, ["id", column], [(1, 7), (2, 7)])
    result = project.run("run", code=1)
    assert f'"{column}"' in result.out and "models/raw/src.sql:1:1" in result.out and "hint: " in result.out, result


def test_a_replaced_lake_is_sent_as_a_new_one(project, sink):
    rows_of(project, ["id", "v"], [(1, 1), (2, 2)])
    project.write({"models/sync/t.sql": MERGE})
    project.run_json()
    sink.forget()
    (project.root / "lake.sqlite").unlink()
    shutil.rmtree(project.root / "lake_data")
    rows_of(project, ["id", "v"], [(1, 1), (3, 3)])
    result = project.run("run", code=0)
    assert sink.events("id", "v") == [("insert", 1, 1), ("insert", 3, 3)], result
    assert "sync.t was dropped and made again" in result.out + result.err
    sink.forget()
    project.run_json()
    assert sink.batches == []


def test_a_restored_lake_sends_every_row(project, sink):
    rows_of(project, ["id", "v"], [(1, 1), (2, 2)])
    project.write({"models/sync/t.sql": MERGE})
    project.run_json()
    shutil.copy(project.root / "lake.sqlite", project.root / "backup.sqlite")
    for v in (2, 3):
        rows_of(project, ["id", "v"], [(1, v), (2, 2)])
        project.run_json()
    (project.root / "backup.sqlite").rename(project.root / "lake.sqlite")
    sink.forget()
    rows_of(project, ["id", "v"], [(1, 4), (2, 2)])
    result = project.run("run", code=0)
    assert sink.events("id", "v") == [("insert", 1, 4), ("insert", 2, 2)], result
    assert "the lake was restored" in result.out + result.err


def test_text_from_outside_cannot_steer_the_terminal(project):
    project.write({"lib/x.star": 'API = {"fetch": {}}\n\ndef fetch(page):\n    print("a\\x1b[2Jb\\rc")\n'
                                 '    fail("d\\x1b]0;title\\x07\\u009bmé")\n',
                   "models/raw/m.sql": "SELECT * FROM x()"})
    result = project.run("run", code=1)
    text = result.out + result.err
    assert r"a\x1b[2Jb\x0dc" in text and r"d\x1b]0;title\x07\u009bmé" in text, result
    assert not {c for c in text if (ord(c) < 32 and c not in "\n\t") or 0x7f <= ord(c) < 0xa0}
