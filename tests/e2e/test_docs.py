"""What the README and the guides show is run as it stands there."""
import re
import shlex
import subprocess

import pytest

from conftest import COYPU, ROOT, Project


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.S)


def shell_commands(page):
    """The `coypu …` lines of a page's shell blocks, without comments."""
    for block in blocks(page, "sh"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == "coypu":
                yield words[1:]


@pytest.fixture
def shop(tmp_path):
    project = Project.__new__(Project)
    project.root, project.env = tmp_path / "shop", {}
    project.root.mkdir()
    return project


def test_the_readme_leads_to_a_running_pipeline(shop, api):
    users = [{"id": i, "name": f"User {i}", "email": f"u{i}@example.com"} for i in range(5)]
    api.pages("/users", [users[:3], users[3:]])
    lib, = blocks("README.md", "python")
    model, = blocks("README.md", "sql")
    for words in shell_commands("README.md"):
        if words == ["init"]:
            shop.run("init", code=0)
            shop.write({"lib/people.star": lib.replace("https://api.example.com", api.url), "models/raw/people.sql": model})
            with open(shop.root / ".env", "a", encoding="utf-8") as env:
                env.write("PEOPLE_KEY=a-key-for-people\n")
        else:
            shop.run(*words, code=0)
    assert shop.sql("select id, name, email from raw.people order by id") == users
    assert api.seen()[0].headers["Authorization"] == "Bearer a-key-for-people"
    snapshots = shop.snapshots()
    shop.run("run", code=0)
    assert shop.snapshots() == snapshots


def test_the_guides_lib_files_run_both_ways(project, api):
    read, write = blocks("docs/guide/lib-functions.md", "python")
    sql = blocks("docs/guide/lib-functions.md", "sql")
    project.env["EXAMPLE_KEY"] = "an-example-key"
    project.write({"lib/example_in.star": read.replace("https://api.example.com", api.url),
                   "lib/example.star": write.replace("https://api.example.com", api.url),
                   "models/raw/orders.sql": sql[0].replace("example('orders')", "example_in('orders')"),
                   "models/mart/customers.sql": "SELECT id, 'n' || id AS name, 'e' || id AS email FROM raw.orders",
                   "models/sync/contacts.sql": sql[1]})
    api.pages("/orders", [[{"id": 1, "updated_at": "2024-01-01T00:00:00Z"}, {"id": 2, "updated_at": "2024-01-02T00:00:00Z"}]])
    api.on("*", "*", (200, {}))
    project.run_json()
    assert sorted(r.json["id"] for r in api.seen("POST", "/contacts")) == [1, 2]


def test_the_commands_page_lists_every_command():
    listing = subprocess.run([COYPU, "--help"], capture_output=True, text=True, check=True).stdout
    page = (ROOT / "docs/reference/commands.md").read_text()
    for line in listing.split("commands:\n")[1].split("\n\n")[0].splitlines():
        assert f"`coypu {line.split()[0]}" in page, line


def test_links_between_pages_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


def test_the_reference_of_checks_names_every_macro():
    page = (ROOT / "docs/reference/checks.md").read_text()
    for stage in "constraint", "audit", "warning":
        sql = (ROOT / f"src/project/checks/{stage}s.sql").read_text()
        for comment, name in re.findall(rf"((?:^-- .*\n)+)CREATE MACRO ondatra_{stage}_(\w+)\(", sql, re.M):
            call, _, meaning = " ".join(line[3:] for line in comment.splitlines()).partition(": ")
            assert call.startswith(name + "("), call
            assert f"| `{call}` | {meaning.replace('|', chr(92) + '|')} |" in page
