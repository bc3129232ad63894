"""Importing this sets a test program apart from whoever started it: it stands in an empty directory of its own, and
what Onym reads from the environment is gone. Onym's commands look for ./onym-data and ONYM_* and would find the
developer's own server there; a test must neither see it nor write to it.

Import it before anything that starts a process. Paths in the tests are made from ROOT, so they stay right.
"""
import atexit
import os
import shutil
import tempfile

if "ONYM" in os.environ:
    os.environ["ONYM"] = os.path.abspath(os.environ["ONYM"])
for name in ("ONYM_CONFIG", "ONYM_SECRET_KEY", "NOTIFY_SOCKET", "NO_COLOR", "CLICOLOR_FORCE"):
    os.environ.pop(name, None)
_started_in = os.getcwd()
_apart = tempfile.mkdtemp(prefix="onym-apart-")
os.chdir(_apart)


def _leave():
    os.chdir("/")
    left = os.listdir(_apart)
    shutil.rmtree(_apart, ignore_errors=True)
    if left:
        print(f"a test left {left} in the directory that it stood in")


atexit.register(_leave)


def given(path):
    """A path of the command line, as the caller meant it."""
    return os.path.join(_started_in, path)
