"""./dev: what it downloads is what deps.lock pins."""
import hashlib
import os
import shutil
import subprocess
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
