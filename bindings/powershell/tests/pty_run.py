"""pty_run.py MARK COUNT SECONDS COMMAND...: runs a command on a terminal; presses Ctrl-C so long after MARK was there so often; prints all."""

import os
import pty
import select
import signal
import sys
import time

mark, often, pause, command = sys.argv[1].encode(), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]
child, terminal = pty.fork()
if child == 0:
    os.environ["TERM"] = "xterm"
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's `&` leaves it ignored, and an ignored Ctrl-C stops nothing
    os.execvp(command[0], command)
said, sent = b"", 0
until = time.time() + 60
while time.time() < until:
    if select.select([terminal], [], [], 0.05)[0]:
        try:
            some = os.read(terminal, 65536)
        except OSError:
            break
        if not some:
            break
        said += some
    if not sent and said.count(mark) >= often:
        time.sleep(pause)
        sent = int(time.time() * 1000)
        os.write(terminal, b"\x03")
os.waitpid(child, 0)
print(said.decode("utf-8", "replace"))
print("SENT", sent)
