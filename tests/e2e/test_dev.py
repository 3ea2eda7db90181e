"""./dev: what it downloads is what deps.lock pins."""
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile

from conftest import ROOT


def test_a_wrong_hash_stops_and_shows_both(tmp_path):
    shutil.copy(ROOT / "dev", tmp_path / "dev")
    pinned = "0" * 64
    (tmp_path / "deps.lock").write_text(f"fetch  sdist  thing  1.0  thing-1.0.tar.gz  {pinned}\n")
    cache = tmp_path / "cache"
    (cache / "downloads").mkdir(parents=True)
    download = cache / "downloads/thing-1.0.tar.gz"
    download.write_bytes(b"something else")
    done = subprocess.run([tmp_path / "dev", "build"], cwd=tmp_path, env={**os.environ, "COYPU_CACHE": str(cache)}, capture_output=True, text=True)
    assert done.returncode == 1
    assert pinned in done.stderr and hashlib.sha256(b"something else").hexdigest() in done.stderr
    assert not download.exists()


def test_a_wrong_hash_of_what_is_unpacked_stops_and_shows_both(tmp_path):
    shutil.copy(ROOT / "dev", tmp_path / "dev")
    cache = tmp_path / "cache"
    (cache / "downloads").mkdir(parents=True)
    (tmp_path / "member").write_bytes(b"inner")
    with tarfile.open(cache / "downloads/thing-1.0.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "member", "thing/member")
    outer = hashlib.sha256((cache / "downloads/thing-1.0.tar.gz").read_bytes()).hexdigest()
    pinned = "0" * 64
    (tmp_path / "deps.lock").write_text(f"fetch  sdist  thing  1.0  thing-1.0.tar.gz  {outer}\n"
                                        f"unpack thing-1.0.tar.gz thing/member things/member {pinned}\n")
    done = subprocess.run([tmp_path / "dev", "build"], cwd=tmp_path, env={**os.environ, "COYPU_CACHE": str(cache)}, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"member is not what deps.lock pins: expected {pinned}, got {hashlib.sha256(b'inner').hexdigest()}" in done.stderr
    assert not (tmp_path / "build/deps/things/member").exists()


def test_an_unknown_command_prints_the_usage(tmp_path):
    done = subprocess.run([ROOT / "dev", "nonsense"], capture_output=True, text=True)
    assert done.returncode == 2 and "./dev COMMAND" in done.stderr


def tool(folder, name, script):
    """A program of ours before the system's on the PATH."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n" + script)
    (folder / name).chmod(0o755)


def build_with(tmp_path, lock, **env):
    shutil.copy(ROOT / "dev", tmp_path / "dev")
    (tmp_path / "deps.lock").write_text(lock)
    env = {**os.environ, "COYPU_CACHE": str(tmp_path / "cache"), "PATH": f"{tmp_path}/bin:{os.environ['PATH']}", **env}
    return subprocess.run([tmp_path / "dev", "build"], cwd=tmp_path, env=env, capture_output=True, text=True)


def test_a_mirror_that_fails_is_asked_four_times_and_what_it_said_is_shown(tmp_path):
    tool(tmp_path / "bin", "sleep", f"echo $1 >>{tmp_path}/slept\n")
    tool(tmp_path / "bin", "python3", f"echo asked >>{tmp_path}/asked; echo 'connection refused' >&2; exit 1\n")
    done = build_with(tmp_path, f"fetch  wheel  thing  1.0  thing-1.0-py3-none-any.whl  {'0' * 64}\n", PYTHON=str(tmp_path / "bin/python3"))
    assert done.returncode == 1
    assert (tmp_path / "asked").read_text().split() == ["asked"] * 4 and (tmp_path / "slept").read_text().split() == ["2", "10", "30"]
    assert "connection refused" in done.stderr
    assert done.stderr.endswith("error: could not download thing 1.0\n  hint: is the package index there? "
                                "what has been downloaded is kept: run the command again\n")


def test_a_user_who_may_not_install_is_told_what_to_install(tmp_path):
    tool(tmp_path / "bin", "id", "echo 1000\n")
    tool(tmp_path / "bin", "sudo", "echo 'sudo: a password is required' >&2; exit 1\n")
    done = build_with(tmp_path, "apt build no-such-package 1 none\n")
    assert done.returncode == 1
    assert done.stderr == ("sudo: a password is required\n"
                           "error: these packages are missing, and sudo does not let this user install them: no-such-package\n"
                           "  hint: as root: apt-get update && apt-get install --no-install-recommends no-such-package\n")


def test_an_older_distribution_is_told(tmp_path):
    done = build_with(tmp_path, "apt build ca-certificates 30000000 downloads\n")
    assert done.returncode == 1 and "error: ca-certificates is 2" in done.stderr and "and coypu needs 30000000" in done.stderr


def test_no_test_takes_all_memory_of_the_machine():
    grow = [sys.executable, "-c", "bytearray(5 << 30)"]
    assert "MemoryError" in subprocess.run(grow, capture_output=True, text=True).stderr
    limited = subprocess.run([ROOT / "tests/support/limited.sh", *grow], capture_output=True, text=True)
    assert "MemoryError" in limited.stderr
