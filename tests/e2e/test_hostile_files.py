"""Files that nobody writes by hand: bytes that are no text, endless files, deep nesting, odd paths.  A message or success,
never a crash or a hang."""
import pytest


def outcome(project, *command):
    result = project.run(*command)
    assert result.code in (0, 1), result
    text = result.out + result.err
    assert "Sanitizer" not in text and "Traceback" not in text and "internal" not in text.lower(), text[:2000]
    return result


def nested(depth, left="(", inner="1", right=")"):
    return left * depth + inner + right * depth


# name: bytes of a model and what is said, or None where it runs
FILES = {
    "latin-1 in a comment": (b"-- caf\xe9\nSELECT 1 AS a", "models/m.sql:1:7: the file is not UTF-8"),
    "latin-1 in a literal": (b"SELECT 'caf\xe9' AS a", "models/m.sql:1:12: the file is not UTF-8"),
    "UTF-16": ("SELECT 1 AS a".encode("utf-16"), "models/m.sql:1:1: the file is not UTF-8"),
    "a zero byte in the query": (b"SELECT 1\0 AS a", "models/m.sql:1:9: the file has a zero byte"),
    "a zero byte in a directive": (b"-- @kind: ta\0ble\nSELECT 1 AS a", "models/m.sql:1:13: the file has a zero byte"),
    "zero bytes alone": (b"\0" * 1000, "models/m.sql:1:1: the file has a zero byte"),
    "a byte order mark": (b"\xef\xbb\xbf-- @kind: table\r\nSELECT 1 AS a", None),
    "only a byte order mark": (b"\xef\xbb\xbf", "the file has no query"),
    "CRLF": (b"-- @kind: merge\r\n-- @unique_key: a\r\n-- @description: x\r\nSELECT 1 AS a\r\n", None),
    "an error behind CRLF": (b"-- @kind: table\r\nSELECT 1 AS a,\r\n  FROM WHERE\r\n", "models/m.sql:3:8: syntax error"),
    "a directive of a megabyte": (b"-- @description: " + b"x" * 1_000_000 + b"\nSELECT 1 AS a", None),
    "a literal of 10 MB": (b"SELECT length('" + b"x" * 10_000_000 + b"') AS a", None),
    "5,000 directives": (b"".join(b"-- @column: c%d = text\n" % i for i in range(5000)) + b"SELECT 1 AS a", '@column names "c0"'),
    "10,000 parentheses": (b"SELECT " + nested(10_000).encode() + b" AS a", "models/m.sql:1:10004: memory exhausted"),
    "10,000 additions": (b"SELECT 1" + b" + 1" * 10_000 + b" AS a", "models/m.sql"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_model_of(project, case):
    content, message = FILES[case]
    project.write({"models/fine.sql": "SELECT 2 AS b"})
    (project.root / "models/m.sql").write_bytes(content)
    validated = outcome(project, "validate")
    result = outcome(project, "run")
    assert "[OK] main.fine" in result.out, result.out[-1000:]
    if message is None:
        assert "[OK] main.m " in result.out and validated.code == 0, (result.out[:2000], validated.out[:2000])
    else:
        assert "[FAILED] main.m " in result.out and message in result.out, result.out[:2000]
    outcome(project, "run", "--json")
    outcome(project, "lineage", "overview")


@pytest.mark.parametrize("path", ["a b.sql", "it's.sql", 'say "x".sql', "a\nb.sql", "日本.sql", "-a.sql", "a.b.sql", "a;b.sql", "$(x).sql",
                                  "a b/c.sql", "é/c.sql", "x" * 200 + ".sql", "a\tb.sql", "\x1b[2J.sql"])
def test_a_path_of(project, path):
    project.write({"models/fine.sql": "SELECT 2 AS b", f"models/{path}": "SELECT 1 AS a"})
    for command in (("validate",), ("run",), ("run", "--json"), ("stats",), ("lineage", "overview")):
        result = outcome(project, *command)
        assert "\x1b" not in result.out + result.err
    if path[0] != "x":
        assert "in the path of a model is not a name" in project.run("validate", code=1).out + project.run("validate").err
    assert project.sql("SELECT b FROM main.fine") == [{"b": 2}]


@pytest.mark.parametrize("name", ["a b", "it's", 'say "x"', "日本", "a\nb", "$(x)", "a;b", "[x]*", "-n"])
def test_a_project_in_a_folder_of_any_name(project, name):
    folder = project.root.parent / name
    project.root.rename(folder)
    project.root = folder
    project.write({"models/raw/src.sql": "SELECT 1 AS id", "models/m.sql": "-- @kind: merge\n-- @unique_key: id\nSELECT * FROM raw.src",
                   "data/x.csv": "a\n1\n", "models/f.sql": "SELECT * FROM read_csv('data/x.csv')"})
    project.run_json()
    project.write({"models/raw/src.sql": "SELECT 2 AS id"})
    project.run_json()
    assert project.sql("SELECT id FROM main.m ORDER BY id") == [{"id": 1}, {"id": 2}]
    assert outcome(project, "sandbox").code == 0 and outcome(project, "checkpoint").code == 0
