"""What code in a model file might try: each function does it, and says that it did. Runs in a worker."""

# ruff: noqa: PTH101, PTH104, PTH108, PTH208, PTH211

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path


def read(path):
    return Path(path).read_text()


def listing(path):
    return sorted(os.listdir(path))


def write(path):
    Path(path).write_text("written")
    return "written"


def empty(path):
    os.truncate(path, 0)
    return "emptied"


def remove(path):
    os.unlink(path)
    return "removed"


def rename(path, target):
    os.rename(path, target)
    return "moved"


def link(path, target):
    os.symlink(path, target)
    return "linked"


def hard_link(path, target):
    os.link(path, target)
    return "linked"


def pipe(path):
    os.mkfifo(path)
    return "made"


def modes(path):
    os.chmod(path, 0)
    os.utime(path, (1, 1))
    return "done"


def connect(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as made:
        made.sendall(b"secret")
    return "sent"


def datagram(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.sendto(b"secret", ("127.0.0.1", port))
    return "sent"


def unix(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.connect(path)
        made.sendall(b"secret")
    return "sent"


def listen():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.listen()
    return "listened"


def fork():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return "forked"


def program():
    return subprocess.run(["/bin/echo", "ran"], capture_output=True, text=True, check=True).stdout.strip()


def become():
    os.execv("/bin/true", ["true"])


def stop(pid):
    os.kill(pid, signal.SIGCONT)
    return "signalled"


def trace(pid):
    if ctypes.CDLL(None, use_errno=True).ptrace(16, pid, None, None) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")
    return "traced"


def ring():
    if ctypes.CDLL(None, use_errno=True).syscall(425, 8, ctypes.create_string_buffer(120)) < 0:
        raise OSError(ctypes.get_errno(), "io_uring")
    return "made"


def leave():
    os.setsid()
    return "left"


def lift():
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    return "changed"


def variables():
    return dict(os.environ)


def thread():
    got = []
    one = threading.Thread(target=got.append, args=("ran",))
    one.start()
    one.join()
    return got[0]


def own_file():
    place = Path("made-here")
    place.write_text("x")
    place.rename("moved-here")
    return Path("moved-here").read_text()


def large(size):
    with open("large", "wb") as file:
        file.truncate(size)
    return "written"


def chatter(lines):
    for number in range(lines):
        print(number, "x" * 1000)
    print("the end")
    return "printed"


def endless():
    while True:
        os.write(int(sys.argv[2]), b"x" * 65536)


def slow_drip():
    while True:
        os.write(int(sys.argv[2]), b"x")
        time.sleep(0.01)


def garbage(text):
    os.write(int(sys.argv[2]), text.encode() + b"\n")
    return "written"


def threads(count):
    stop = threading.Event()
    for _ in range(count):
        threading.Thread(target=stop.wait, daemon=True).start()
    time.sleep(60)


def spin():
    while True:
        pass


def sleep_with_child(path):
    child = subprocess.Popen(["/bin/sleep", "300"])
    Path(path).write_text(str(child.pid))
    time.sleep(300)
