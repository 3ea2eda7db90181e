"""coypu new, edit and completions: writing a project."""
import os
import shutil
import stat
import subprocess

import pytest
from conftest import COYPU


def made(project, *args):
    return project.run("new", *args, code=0).out


def test_new_makes_a_model_that_validates_and_runs(project):
    assert made(project, "staging.orders.sql") == "made models/staging/orders.sql\n"
    project.run("validate", "--strict", code=0)
    project.run("run", code=0)
    assert project.value("select count(*) as n from staging.orders") == 1


def test_new_joins_folders(project):
    made(project, "raw.api.users.sql")
    assert (project.root / "models/raw/api/users.sql").exists()
    project.run("run", code=0)
    project.run("query", "raw.api__users", code=0)


def test_new_makes_folders_and_says_how_models_are_made(project):
    assert made(project, "mart") == \
        "made models/mart/\n  hint: a name that ends in .sql makes a model: coypu new mart.orders.sql\n"
    assert (project.root / "models/mart").is_dir()
    made(project, "staging.eu")
    assert (project.root / "models/staging/eu").is_dir()


@pytest.mark.parametrize("name, message", [
    ("orders.sql", '"orders.sql" names no schema'),
    ("raw.orders.py", "a model is a .sql file, not .py"),
    ("hubspot.star", "`coypu new lib hubspot` makes a lib file"),
    ("../x.sql", '"../x" is no name of a model'),
    ("raw/x.sql", "is no name of a model"),
    ("raw..x.sql", "is no name of a model"),
    ("raw.a__b.sql", "without __"),
    ("raw.1x.sql", "is no name of a model"),
])
def test_new_refuses_names(project, name, message):
    assert message in project.run("new", name, code=1).err
    assert not (project.root / "models").exists()


def test_new_touches_nothing_that_exists(project):
    made(project, "raw.x.sql")
    (project.root / "models/raw/x.sql").write_text("SELECT 2 AS y")
    assert "there is a model that makes raw.x already" in project.run("new", "raw.x.sql", code=1).err
    assert "already" in project.run("new", "raw.X.sql", code=1).err
    assert "models/raw exists already" in project.run("new", "raw", code=1).err
    assert (project.root / "models/raw/x.sql").read_text() == "SELECT 2 AS y"


@pytest.mark.parametrize("options", [[], ["--fetch"], ["--push"], ["--fetch", "--push"], ["--async"],
                                     ["--push", "--async"], ["--fetch", "--push", "--async"]])
def test_new_lib_validates(project, options):
    assert made(project, "lib", "hubspot", *options) == "made lib/hubspot.star\n"
    result = project.run("validate", "--strict", code=0)
    assert "0 blockers, 0 warnings, 0 notes" in result.out, result
    assert "HUBSPOT_API_KEY" in (project.root / "lib/hubspot.star").read_text()


def test_a_fresh_push_template_delivers(project, api):
    made(project, "lib", "crm", "--push")
    path = project.root / "lib/crm.star"
    path.write_text(path.read_text().replace("https://api.example.com/v1", api.url))
    api.on("*", "*", (200, {}))
    project.write({"models/sync/s.sql": "-- @kind: merge\n-- @unique_key: id\n-- @sink: crm\nSELECT 7 AS id"})
    project.run("run", code=0, CRM_API_KEY="key-123456")
    assert [(r.method, r.path, r.json) for r in api.seen()] == [("PUT", "/records/7", {"id": 7})]


def test_a_fresh_fetch_template_fetches(project, api):
    made(project, "lib", "shop")
    path = project.root / "lib/shop.star"
    path.write_text(path.read_text().replace("https://api.example.com/v1", api.url))
    api.pages("/orders", [[{"id": 1}], [{"id": 2}]])
    project.write({"models/raw/o.sql": "SELECT id::BIGINT AS id FROM shop('orders')"})
    project.run("run", code=0, SHOP_API_KEY="key-123456")
    assert project.value("select count(*) as n from raw.o") == 2


def test_new_lib_refuses_names(project):
    for name in ("Hub", "_x", "a-b", "../x", "1x"):
        assert "is no name of a lib function" in project.run("new", "lib", name, code=1).err
    assert "reserved" in project.run("new", "lib", "main", code=1).err
    assert not (project.root / "lib/main.star").exists()
    refused = project.run("new", "lib", "select", code=1).err
    assert 'the name "select" is a word of SQL' in refused and "take another name, such as select_api" in refused
    assert not (project.root / "lib/select.star").exists()
    made(project, "lib", "select", "--push")
    made(project, "lib", "crm")
    assert "lib/crm.star exists already" in project.run("new", "lib", "crm", code=1).err


def test_new_wrong_usage(project):
    assert "does not take the argument" in project.run("new", "raw.x.sql", "y", code=2).err
    assert "belong to `new lib`" in project.run("new", "raw.x.sql", "--push", code=2).err


# ── edit ──

@pytest.fixture
def editor(project):
    """An editor that writes down what it was asked to open, and adds a line."""
    script = project.root.parent / "ed itor.sh"
    script.write_text('#!/bin/sh\nfor last; do :; done\necho "$last" >> "%s/opened"\necho "-- edited" >> "$last"\n'
                      % project.root)
    script.chmod(0o755)
    project.env["EDITOR"] = f"'{script}' --wait"
    project.opened = lambda: [line.replace(str(project.root) + "/", "")
                              for line in (project.root / "opened").read_text().splitlines()]
    return project


def test_edit_opens_what_the_name_says(editor):
    editor.write({"models/mart/b.sql": "SELECT 1 AS x\n", "models/raw/api/u.sql": "SELECT 1 AS x\n", "lib/crm.star": "\n"})
    for name in ("MART.b", "raw.api__u", "env", "catalog", "state", "sources", "secrets", "settings", "extensions",
                 "macros/helpers", "variables/global", "lib/crm"):
        editor.run("edit", name, code=0)
    assert editor.opened() == [
        "models/mart/b.sql", "models/raw/api/u.sql", ".env", "config/catalog.sql", "config/state.sql",
        "config/sources.sql", "config/secrets.sql", "config/settings.sql", "config/extensions.sql",
        "config/macros/helpers.sql", "config/variables/global.sql", "lib/crm.star"]
    assert (editor.root / "models/mart/b.sql").read_text().endswith("-- edited\n")


def test_a_new_env_file_is_private(editor):
    editor.run("edit", "env", code=0)
    assert stat.S_IMODE((editor.root / ".env").stat().st_mode) == 0o600


def test_edit_errors(editor):
    editor.write({"models/mart/b.sql": "SELECT 1 AS x"})
    assert editor.run("edit", "mart.bb", code=1).err == "error: no model makes mart.bb\n  hint: did you mean mart.b?\n"
    assert "`coypu new lib crm` makes it" in editor.run("edit", "lib/crm", code=1).err
    assert "is no name of a file" in editor.run("edit", "macros/../x", code=1).err
    assert 'the editor "false" ended with status 1' in editor.run("edit", "env", code=1, EDITOR="false").err


def test_edit_falls_back_to_nano_vi_vim(project):
    folder = project.root.parent / "bin"
    folder.mkdir()
    os.symlink(shutil.which("sh"), folder / "sh")
    environment = project.environment(PATH=str(folder))
    environment.pop("EDITOR", None)
    run = lambda: subprocess.run([COYPU, "edit", "env"], cwd=project.root, env=environment, capture_output=True, text=True)
    assert "no editor: EDITOR is not set, and there is no nano, vi or vim" in run().stderr
    for name in ("vim", "vi", "nano"):
        (folder / name).write_text(f"#!/bin/sh\necho {name}\n")
        (folder / name).chmod(0o755)
        assert run().stdout == name + "\n"


# ── completions ──

def complete(project, *words):
    """What bash offers for the last of the words."""
    script = f'''
coypu() {{ "{COYPU}" "$@"; }}
eval "$(coypu completions bash)"
COMP_WORDS=(coypu {" ".join(f'"{w}"' for w in words)})
COMP_CWORD={len(words)}
_coypu
printf '%s\\n' "${{COMPREPLY[@]}}"
'''
    done = subprocess.run(["bash", "-c", script], cwd=project.root, env=project.environment(), capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done
    return done.stdout.split()


def test_bash_completes_commands_targets_actions_and_options(project):
    project.write({"models/mart/b.sql": "SELECT 1 AS x", "models/raw/a.sql": "SELECT 1 AS x", "sql/nightly.sql": "SELECT 1"})
    assert complete(project, "hist") == ["history"]
    assert complete(project, "night") == ["nightly"]
    assert complete(project, "run", "mart") == ["mart.b"]
    assert complete(project, "describe", "") == ["blueprint", "mart.b", "raw.a"]
    assert complete(project, "push", "re") == ["retry", "replay", "reset"]
    assert complete(project, "history", "--l") == ["--limit"]
    assert "models/" not in complete(project, "run", "m") and complete(project, "validate", "mod") == ["models"]


def test_completions_outside_a_project_offer_no_targets(tmp_path, project):
    (tmp_path / "empty").mkdir()
    project.root = tmp_path / "empty"
    assert complete(project, "run", "") == []


@pytest.mark.parametrize("shell, sign", [("zsh", "compdef _coypu coypu"), ("fish", "complete -c coypu")])
def test_other_shells(project, shell, sign):
    script = project.run("completions", shell, code=0).out
    assert sign in script and "history" in script and "completions targets" in script
    if shutil.which(shell):
        done = subprocess.run([shell, "-n" if shell == "zsh" else "--no-execute", "/dev/stdin"], input=script, text=True)
        assert done.returncode == 0


def test_an_unknown_shell_is_wrong_usage(project):
    assert 'no completions for "csh": bash, zsh or fish' in project.run("completions", "csh", code=2).err
