"""./dev: what it downloads is what deps.lock pins."""
import hashlib
import os
import shutil
import subprocess

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


def test_an_unknown_command_prints_the_usage(tmp_path):
    done = subprocess.run([ROOT / "dev", "nonsense"], capture_output=True, text=True)
    assert done.returncode == 2 and "./dev COMMAND" in done.stderr
