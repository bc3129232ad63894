"""A real PostgreSQL, for tests: a cluster of its own in a temporary directory, on a free port of the loopback, run by an
unprivileged user (as root: the one that Debian's package made). It can be killed and started again."""
import glob
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from onym import free_port      # noqa: E402

START_S = 60
PASSWORD = "s3cret-of-the-test"


def programs():
    """The directory of initdb and postgres, or None."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    return os.path.dirname(found[-1]) if found else None


class Postgres:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="onym-postgres-")
        self.port = free_port()
        self.process = None
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            account = pwd.getpwnam(self.user)
            os.chown(self.directory, account.pw_uid, account.pw_gid)
        self.data = f"{self.directory}/data"
        secret = f"{self.directory}/password"
        pathlib.Path(secret).write_text(PASSWORD)
        if self.user:
            os.chown(secret, account.pw_uid, account.pw_gid)
        self._run(["initdb", "-D", self.data, "-U", "onym", "--pwfile", secret, "-A", "scram-sha-256", "-E", "UTF8",
                   "--locale=C", "--no-sync"])
        self.start()

    def _as_user(self, command):
        command = [f"{programs()}/{command[0]}"] + command[1:]
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"] + command if self.user \
            else command

    def _run(self, command):
        done = subprocess.run(self._as_user(command), cwd="/", capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)

    @property
    def url(self):
        return f"postgres://onym:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def start(self):
        log = open(f"{self.directory}/log", "ab")
        self.process = subprocess.Popen(
            self._as_user(["postgres", "-D", self.data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
                           "-k", self.directory, "-c", "fsync=on", "-c", "max_connections=30",
                           "-c", "log_min_messages=warning"]), cwd="/", stdout=log, stderr=log)
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            try:
                self.query("SELECT 1")
                return
            except RuntimeError:
                assert self.process.poll() is None, pathlib.Path(f"{self.directory}/log").read_text()[-2000:]
                time.sleep(0.1)
        raise RuntimeError("PostgreSQL does not start")

    def kill(self):
        """As a power cut would: the postmaster and its children at once."""
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True)
        for pid in [self.process.pid] + [int(pid) for pid in children.stdout.split()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()

    def query(self, statement):
        """Rows of one statement or several, as lists of texts; None for null."""
        done = subprocess.run(
            ["psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-R", "\x1e", "-P", "null=\x1d", "-v", "ON_ERROR_STOP=1",
             "-c", statement, self.url], capture_output=True, env={**os.environ, "PGTZ": "UTC", "PGCLIENTENCODING": "UTF8"})
        if done.returncode:
            raise RuntimeError(done.stderr.decode())
        text = done.stdout.decode().rstrip("\n")
        return [[None if cell == "\x1d" else cell for cell in row.split("\x1f")] for row in text.split("\x1e") if text]

    def session(self, statement):
        """A client beside that is not waited for."""
        return subprocess.Popen(["psql", "-X", "-q", "-c", statement, self.url], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
