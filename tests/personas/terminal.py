"""A person at a terminal: runs a command on a pseudo-terminal of its own and types at each prompt.

In: JSON on stdin, {"command": [...], "typed": [[prompt, text], ...], "columns": 80}. Out: JSON on stdout, with all that the terminal showed,
the exit code (negative: the signal that ended it), and whether the terminal still echoes what is typed.
"""
import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

PATIENCE = 60

asked = json.load(sys.stdin)
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, asked["columns"], 0, 0))
    os.execv(asked["command"][0], asked["command"])
# The child ends the terminal with itself; one more holder leaves its settings to be looked at.
TIOCGPTN = 0x80045430  # "which terminal is this?"; Python has no name for it
number = struct.unpack("I", fcntl.ioctl(terminal, TIOCGPTN, bytes(4)))[0]
held = os.open(f"/dev/pts/{number}", os.O_RDWR | os.O_NOCTTY)
shown, seen, typed, began = b"", 0, list(asked["typed"]), time.monotonic()
code = None
while time.monotonic() - began < PATIENCE:
    if select.select([terminal], [], [], 0.05)[0]:
        try:
            shown += os.read(terminal, 65536)
        except OSError:
            break
        continue
    if code is None:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
    if code is not None:
        break
    if typed and typed[0][0].encode() in shown[seen:]:
        seen = len(shown)
        os.write(terminal, typed.pop(0)[1].encode())
echoes = bool(termios.tcgetattr(held)[3] & termios.ECHO)
if code is None:
    os.kill(child, 9)
    os.waitpid(child, 0)
print(json.dumps({"shown": shown.decode(errors="replace"), "code": code, "echoes": echoes, "untyped": len(typed)}))
