"""A real onym, for tests: started on a free port of the loopback with a directory of its own.

It is a process, not a mock: what it kept is read back by `onym export`. Nothing here sleeps to
synchronise; start() returns when onym says that it is listening.

ONYM names another program than build/onym.
"""
import atexit
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import apart      # noqa: E402,F401

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_S = 30          # a start that takes longer has failed
STOP_S = 60


def program():
    return os.environ.get("ONYM", str(ROOT / "build" / "onym"))


def port_range():
    """Below those that the kernel gives to outgoing connections: one of these must not sit on the port of a server
    that was killed and starts again."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    return (10240, first) if first >= 12000 else (10240, 32768)


PORTS = []            # kept open as long as this program runs
atexit.register(lambda: [mark.close() for mark in PORTS])


def free_port():
    """One that no other test program gets while this one runs, also while no server of ours has it: a test that stops
    its server and starts it again finds its port. An abstract Unix socket keeps it: that name is known exactly where
    the port is, in this network, and goes with the process."""
    while True:
        port = random.SystemRandom().randrange(*port_range())
        mark = socket.socket(socket.AF_UNIX)
        with socket.socket() as s:
            try:
                mark.bind(f"\0onym-test-port-{port}")
                s.bind(("127.0.0.1", port))
                PORTS.append(mark)
                return port
            except OSError:
                mark.close()


class Onym:
    """One server and its data directory. `sources` maps a name to a write key or to a dict of options."""

    def __init__(self, sources, config=None, directory=None, port=None, wrap=()):
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="onym-test-"))
        self.owns_directory = directory is None
        self.data = self.directory / "data"
        self.config = self.directory / "onym.yaml"
        self.log_path = self.directory / "onym.log"
        self.port = port or free_port()
        self.wrap = list(wrap)
        self.process = None
        self.write_config(sources, config or {})

    @property
    def url(self):
        return f"{'https' if self.is_tls else 'http'}://127.0.0.1:{self.port}"

    def write_config(self, sources, config):
        """JSON is YAML: one line an option keeps the file readable when a test fails."""
        self.is_tls = "tls" in config
        lines = [f"listen: 127.0.0.1:{self.port}", f"data: {json.dumps(str(self.data))}",
                 "secret_key: sk_test_only_for_this_run"]
        lines += [f"{name}: {json.dumps(value)}" for name, value in config.items()]
        lines.append("sources:")
        for name, options in sources.items():
            options = options if isinstance(options, dict) else {"write_key": options}
            fields = {"name": name, **options}
            lines.append("  - {" + ", ".join(f"{k}: {json.dumps(v)}" for k, v in fields.items()) + "}")
        self.config.write_text("\n".join(lines) + "\n")

    def start(self, stderr=None):
        """stderr: where its log goes in place of log_path; the caller's to close."""
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            self.wrap + [program(), "serve", "--config", str(self.config), "--data", str(self.data),
                         "--listen", f"127.0.0.1:{self.port}"],
            stdout=subprocess.PIPE, stderr=stderr or log, stdin=subprocess.DEVNULL)
        log.close()
        listening = threading.Event()
        said = []

        def read(pipe):
            for line in pipe:
                said.append(line.decode(errors="replace"))
                if "listening on http" in said[-1]:
                    listening.set()
            listening.set()

        self.reader = threading.Thread(target=read, args=(self.process.stdout,), daemon=True)
        self.reader.start()
        if not listening.wait(START_S) or not any("listening on http" in line for line in said):
            self.kill()
            raise RuntimeError("onym did not start:\n" + "".join(said[-20:]) + self.log_tail())
        return self

    def stop(self):
        """SIGTERM, as systemd stops it; says what went wrong if it does not end well."""
        if not self.process:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"onym did not stop within {STOP_S} s of SIGTERM\n" + self.log_tail())
        self.reader.join(5)
        self.process = None
        if code != 0:
            raise RuntimeError(f"onym ended with {code} on SIGTERM\n" + self.log_tail())

    def kill(self):
        """SIGKILL: what a crash leaves behind is what the kernel had."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.reader.join(5)
            self.process = None

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def log_tail(self, lines=20):
        try:
            return "".join(self.log_path.read_text(errors="replace").splitlines(True)[-lines:])
        except OSError:
            return ""

    def errors(self):
        """What onym itself called an error, each once. Whatever clients do is not one."""
        try:
            lines = self.log_path.read_text(errors="replace").splitlines()
        except OSError:
            return []
        return sorted({line.split(" ", 1)[1] for line in lines if " level=error " in line})

    def run(self, *arguments, check=True):
        """Another command of the same program, on the same data."""
        done = subprocess.run([program(), *arguments, "--config", str(self.config), "--data", str(self.data)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise RuntimeError(f"onym {' '.join(arguments)} ended with {done.returncode}:\n"
                               + done.stderr.decode(errors="replace"))
        return done

    def export(self, raw=False):
        """What was accepted, as dicts in journal order."""
        output = self.run("export", *(["--raw"] if raw else [])).stdout
        return [json.loads(line) for line in output.splitlines() if line]

    def cpu_s(self):
        """CPU time of all threads so far, in seconds."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    def close(self, keep=False):
        self.kill()
        if self.owns_directory and not keep:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()


# ---- Comparing messages ----

MISSING = object()


def difference(want, got, path=""):
    """The first place where `got` does not hold what `want` says; None if it holds all of it.
    Objects may hold more than was wanted; arrays and scalars are equal, and 1 equals 1.0 but not true."""
    if isinstance(want, dict):
        if not isinstance(got, dict):
            return f"{path or '.'}: wanted an object, got {show(got)}"
        for key, value in want.items():
            found = difference(value, got.get(key, MISSING), f"{path}.{key}")
            if found:
                return found
        return None
    if isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            return f"{path}: wanted {show(want)}, got {show(got)}"
        for index, value in enumerate(want):
            found = difference(value, got[index], f"{path}[{index}]")
            if found:
                return found
        return None
    if callable(want):
        return None if got is not MISSING and want(got) else f"{path}: {want.__doc__ or 'not so'}: {show(got)}"
    if isinstance(want, bool) != isinstance(got, bool) or got is MISSING or want != got:
        return f"{path}: wanted {show(want)}, got {show(got)}"
    return None


def show(value):
    text = "nothing" if value is MISSING else json.dumps(value, ensure_ascii=False)
    return text if len(text) < 200 else text[:200] + "..."


def wait_until(claim, seconds, what):
    """Polls a claim about another process; for what no event tells."""
    end = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {seconds} s for {what}")
        time.sleep(0.02)
