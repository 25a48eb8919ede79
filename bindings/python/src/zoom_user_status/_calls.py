"""Runs native calls so that signals are heard, callbacks' exceptions come out, and nothing outlives the interpreter.

A native call holds no GIL, but Python runs signal handlers on the main thread between bytecodes only, and there are none
until the call returns. So while the main thread is in one, the signal module's wake-up descriptor is ours, and a small thread
that reads it cancels the call; the handler then runs at once. Bytes for a former owner of the descriptor (asyncio has one)
are passed on to it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from typing import Any, Callable, List, Optional, Set, Tuple

from . import _native as native
from ._codes import Code

# Signals whose handlers only take notes: they wait until the call has ended.
_UNHEARD = {
    int(getattr(signal, name))
    for name in ("SIGCHLD", "SIGWINCH", "SIGCONT", "SIGURG", "SIGIO", "SIGPIPE", "SIGPROF", "SIGVTALRM")
    if hasattr(signal, name)
}
_SENDS = 4  # of one update whose calls are ended by signals again and again, say by an interval timer


class Cancel:
    """Ends calls from another thread: give it to them, then call ``cancel()``. It stays raised, for later calls too."""

    def __init__(self) -> None:
        self._raised = False
        # No lock guards it: cancel() may come from a signal handler.
        self._calls: Set[Call] = set()

    def cancel(self) -> None:
        """Ends the calls that were given this, now and later, with ``Cancelled``."""
        self._raised = True
        for call in self._calls.copy():
            call.canceller.cancel()

    @property
    def cancelled(self) -> bool:
        """Whether ``cancel()`` was called."""
        return self._raised

    def _attach(self, call: Call) -> None:
        # In this order, so that a cancel() between the two isn't missed.
        self._calls.add(call)
        if self._raised:
            call.canceller.cancel()

    def _detach(self, call: Call) -> None:
        self._calls.discard(call)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}{' cancelled' if self._raised else ''}>"

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError("a Cancel can't be copied or pickled: the copy would end no call")


class Call:
    """A native call under way."""

    __slots__ = ("canceller", "error", "hooks", "outer_hook")

    def __init__(self, hooks: Hooks, canceller: native.Canceller) -> None:
        self.hooks: Hooks = hooks
        self.canceller: native.Canceller = canceller
        self.error: Optional[BaseException] = None
        self.outer_hook: Callable[[sys.UnraisableHookArgs], Any] = sys.unraisablehook

    def unraisable(self, problem: sys.UnraisableHookArgs) -> None:
        """A signal that is handled just as a callback is entered raises where the callback can't catch it."""
        said = problem.err_msg or ""  # which names the callback from Python 3.13 on, instead of `object`
        ours = any(one is problem.object or repr(one) in said for one in self.hooks.callbacks)
        if ours and problem.exc_value is not None:
            self.fail(problem.exc_value)
        else:
            self.outer_hook(problem)

    def fail(self, error: BaseException) -> None:
        """Ends the call with an exception of one of its callbacks."""
        if self.error is None:
            self.error = error
        self.canceller.cancel()


class Hooks:
    """What a client's callbacks need to know."""

    def __init__(self) -> None:
        self.batches: Set[Call] = set()
        self.callbacks: List[Callable[..., Any]] = []  # the client's own, which may run on the main thread

    def fail(self, error: BaseException) -> None:
        """To the call of this thread, or from libzus's own threads to the batches, for which alone it starts any."""
        call = _local.call
        if call is not None and call.hooks is self:
            call.fail(error)
            return
        for batch in list(self.batches):
            batch.fail(error)


class _Local(threading.local):
    call: Optional[Call] = None  # the innermost
    canceller: Optional[native.Canceller] = None
    callbacks: Tuple[Hooks, ...] = ()  # whose callbacks this thread is in


_local = _Local()
_running: Set[Call] = set()
_closing = False


class _Ears:
    """The wake-up descriptor and the thread that reads it."""

    def __init__(self) -> None:
        self.main = threading.main_thread().ident
        self.current: Optional[native.Canceller] = None
        self.interrupts_only = False
        self.previous = -1
        self._write: Optional[socket.socket] = None
        self._read: Optional[socket.socket] = None

    def start(self) -> int:
        self._read, self._write = socket.socketpair()
        self._write.setblocking(False)
        threading.Thread(target=self._listen, args=(self._read,), name="zoom_user_status-signals", daemon=True).start()
        return self._write.fileno()

    def open(self, canceller: native.Canceller, interrupts_only: bool) -> None:
        descriptor = self._write.fileno() if self._write is not None else self.start()
        self.current, self.interrupts_only = canceller, interrupts_only
        try:
            previous = signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)
            if previous != descriptor:
                self.previous = previous
        except ValueError:  # in a subinterpreter, where no signals come
            pass

    def close(self, outer: Optional[Call]) -> None:
        self.current = outer.canceller if outer else None
        if outer is None:
            try:
                signal.set_wakeup_fd(self.previous, warn_on_full_buffer=False)
            except ValueError:
                pass

    def _listen(self, read: socket.socket) -> None:
        while True:
            numbers = read.recv(4096)
            if not numbers:
                return
            canceller = self.current
            if canceller is not None and any(self._hears(number) for number in numbers):
                canceller.by_signal = True
                canceller.cancel()
            self._pass_on(numbers)

    def _hears(self, number: int) -> bool:
        return number == signal.SIGINT if self.interrupts_only else number not in _UNHEARD

    def _pass_on(self, numbers: bytes) -> None:
        if self.previous == -1:
            return
        with contextlib.suppress(OSError):
            if os.name == "nt":
                owner = socket.socket(fileno=self.previous)
                try:
                    owner.send(numbers)
                finally:
                    owner.detach()
            else:
                os.write(self.previous, numbers)

    def forget(self) -> None:
        """In a forked child: the thread is not there, and the socket is the parent's too."""
        if self._write is not None:
            with contextlib.suppress(ValueError):
                current = signal.set_wakeup_fd(-1)
                signal.set_wakeup_fd(self.previous if current == self._write.fileno() else current)


_ears = _Ears()


Send = Callable[[native.Canceller, native.ResultHandle], int]
"""A native call, given a zus_cancel and where its result goes, if it gives one. Returns its code."""


def _canceller(shared: bool) -> native.Canceller:
    """This thread's own for one call after the other, but a new one once it is raised, or where a Cancel may yet raise it."""
    kept = _local.canceller
    if not shared and kept is not None and not kept.raised:
        return kept
    made = native.Canceller()
    if not shared:
        _local.canceller = made
    return made


def perform(
    hooks: Hooks, send: Send, cancel: Optional[Cancel] = None, batch: Optional[native.Canceller] = None
) -> Tuple[int, native.ResultHandle]:
    """The code and result of ``send``, or the exception of a callback. A batch brings a canceller of its own."""
    on_main = threading.get_ident() == _ears.main
    sends = 0
    while True:
        sends += 1
        if _closing:
            raise RuntimeError("zoom_user_status can't be called while the interpreter shuts down")
        canceller = batch or _canceller(shared=cancel is not None)
        call = Call(hooks, canceller)
        outer = _local.call
        result = native.ResultHandle()
        try:
            _local.call = call
            _running.add(call)
            if batch:
                hooks.batches.add(call)
            if cancel is not None:
                cancel._attach(call)
            if on_main:
                try:
                    sys.unraisablehook = call.unraisable
                    _ears.open(canceller, interrupts_only=sends >= _SENDS)
                    code = send(canceller, result)
                finally:
                    _ears.close(outer)
                    sys.unraisablehook = call.outer_hook
            else:
                code = send(canceller, result)
        finally:
            _local.call = outer
            _running.discard(call)
            hooks.batches.discard(call)
            if cancel is not None:
                cancel._detach(call)
        if call.error is not None:
            raise call.error
        # A handler that came back without an exception lets the update go on: to send it again does no harm.
        ended_by_signal = canceller.by_signal and not (cancel is not None and cancel.cancelled)
        if not ended_by_signal or code != Code.CANCELLED:
            return code, result


def calling_back(hooks: Hooks) -> bool:
    """Whether this thread is in one of the client's callbacks."""
    return hooks in _local.callbacks


def name_this_thread() -> None:
    """A thread of libzus that calls back gets a name that tells whose it is, in log lines and debuggers."""
    thread = threading.current_thread()
    if isinstance(thread, threading._DummyThread) and thread.name.startswith("Dummy-"):
        thread.name = thread.name.replace("Dummy", "zoom_user_status-worker")


def callback(hooks: Hooks, function: Callable[..., Any], failed: Any) -> Callable[..., Any]:
    """The function for libzus to call: its exception is kept for the caller, and ``failed`` given to libzus."""

    def called(*arguments: Any) -> Any:
        outer = _local.callbacks
        _local.callbacks = (*outer, hooks)
        try:
            return function(*arguments)
        except BaseException as error:
            hooks.fail(error)
            return failed
        finally:
            _local.callbacks = outer

    return called


def _at_exit() -> None:
    # A thread that libzus would call back into a finalized interpreter from is ended while that is still safe.
    global _closing
    _closing = True
    until = time.monotonic() + 2
    while _running and time.monotonic() < until:
        for call in list(_running):
            call.canceller.cancel()
        time.sleep(0.005)


def _in_child() -> None:
    global _ears, _local, _running
    _ears.forget()
    _ears = _Ears()
    _local = _Local()
    _running = set()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
