"""Runs native calls. Signals are handled during a call, a callback's exception reaches the caller, and no call outlives the interpreter.

A native call does not hold the GIL. But Python runs signal handlers only on the main thread and only between bytecodes, and there is no
bytecode until the call returns. So while the main thread is in a call, this module owns the wake-up descriptor of the module ``signal``. A
small thread reads the descriptor and cancels the call, and then Python runs the handler at once. The thread passes the bytes on to the
descriptor's previous owner (asyncio is one).
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

# Handlers of these signals usually only record something, so they can wait until the call has ended.
_DEFERRED = {
    int(getattr(signal, name))
    for name in ("SIGCHLD", "SIGWINCH", "SIGCONT", "SIGURG", "SIGIO", "SIGPIPE", "SIGPROF", "SIGVTALRM")
    if hasattr(signal, name)
}
_SENDS = 4  # when a call is sent for the fourth time, only Ctrl-C cancels it: otherwise an interval timer could cancel it forever


class Cancel:
    """Cancels calls from another thread: pass it to the calls, then call ``cancel()``. It stays triggered and cancels later calls, too."""

    def __init__(self) -> None:
        self._triggered = False
        # No lock protects it, because a signal handler may call cancel().
        self._calls: Set[Call] = set()

    def cancel(self) -> None:
        """Cancels the calls that this object was passed to, now and later: they raise ``Cancelled``."""
        self._triggered = True
        for call in self._calls.copy():
            call.canceller.cancel()

    @property
    def cancelled(self) -> bool:
        """Whether ``cancel()`` was called."""
        return self._triggered

    def _attach(self, call: Call) -> None:
        # In this order, so that it does not miss a cancel() between the two lines.
        self._calls.add(call)
        if self._triggered:
            call.canceller.cancel()

    def _detach(self, call: Call) -> None:
        self._calls.discard(call)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}{' cancelled' if self._triggered else ''}>"

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError("a Cancel can't be copied or pickled: the copy would cancel no call")


class Call:
    """A native call that is running."""

    __slots__ = ("canceller", "error", "hooks", "outer_hook")

    def __init__(self, hooks: Hooks, canceller: native.Canceller) -> None:
        self.hooks: Hooks = hooks
        self.canceller: native.Canceller = canceller
        self.error: Optional[BaseException] = None
        self.outer_hook: Callable[[sys.UnraisableHookArgs], Any] = sys.unraisablehook

    def unraisable(self, problem: sys.UnraisableHookArgs) -> None:
        """Handles an exception that ctypes could not raise. A signal handler that runs just as a callback begins raises outside the
        callback's ``try``."""
        text = problem.err_msg or ""  # from Python 3.13 on, this names the callback, and `object` does not
        ours = any(one is problem.object or repr(one) in text for one in self.hooks.callbacks)
        if ours and problem.exc_value is not None:
            self.fail(problem.exc_value)
        else:
            self.outer_hook(problem)

    def fail(self, error: BaseException) -> None:
        """Cancels the call and keeps the exception of its callback, which the caller gets."""
        if self.error is None:
            self.error = error
        self.canceller.cancel()


class Hooks:
    """Holds what the callbacks of a client need to know."""

    def __init__(self) -> None:
        self.batches: Set[Call] = set()
        self.callbacks: List[Callable[..., Any]] = []  # the callbacks of the client, which may run on the main thread

    def fail(self, error: BaseException) -> None:
        """Passes an exception to this thread's call. A thread of libzus has none: it works for a batch, so the batches get it."""
        call = _local.call
        if call is not None and call.hooks is self:
            call.fail(error)
            return
        for batch in list(self.batches):
            batch.fail(error)


class _Local(threading.local):
    call: Optional[Call] = None  # the innermost call of this thread
    canceller: Optional[native.Canceller] = None
    callbacks: Tuple[Hooks, ...] = ()  # one entry for each callback that this thread is in


_local = _Local()
_running: Set[Call] = set()
_closing = False


class _SignalWatch:
    """Owns the wake-up descriptor and the thread that reads it."""

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
        except ValueError:  # this is a subinterpreter, which gets no signals
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
            if canceller is not None and any(self._cancels_call(number) for number in numbers):
                canceller.by_signal = True
                canceller.cancel()
            self._pass_on(numbers)

    def _cancels_call(self, number: int) -> bool:
        return number == signal.SIGINT if self.interrupts_only else number not in _DEFERRED

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
        """Releases the descriptor in a forked child, where the thread does not exist and the parent uses the socket, too."""
        if self._write is not None:
            with contextlib.suppress(ValueError):
                current = signal.set_wakeup_fd(-1)
                signal.set_wakeup_fd(self.previous if current == self._write.fileno() else current)


_signals = _SignalWatch()


Send = Callable[[native.Canceller, native.ResultHandle], int]
"""Makes a native call with a zus_cancel and a place for its result. Returns its code."""


def _canceller(shared: bool) -> native.Canceller:
    """Returns this thread's canceller for its next call. It makes a new one when the old one was triggered, and for a call with a Cancel,
    which could trigger it later."""
    kept = _local.canceller
    if not shared and kept is not None and not kept.triggered:
        return kept
    made = native.Canceller()
    if not shared:
        _local.canceller = made
    return made


def perform(
    hooks: Hooks, send: Send, cancel: Optional[Cancel] = None, batch: Optional[native.Canceller] = None
) -> Tuple[int, native.ResultHandle]:
    """Runs ``send`` and returns its code and result, or raises the exception of a callback. A batch passes its own canceller."""
    on_main = threading.get_ident() == _signals.main
    sends = 0
    while True:
        sends += 1
        if _closing:
            raise RuntimeError("zoom_user_status can't send while the interpreter shuts down: make the call before the program ends")
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
                    _signals.open(canceller, interrupts_only=sends >= _SENDS)
                    code = send(canceller, result)
                finally:
                    _signals.close(outer)
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
        # The signal handler raised no exception, so the update goes on. It is safe to send it again.
        ended_by_signal = canceller.by_signal and not (cancel is not None and cancel.cancelled)
        if not ended_by_signal or code != Code.CANCELLED:
            return code, result


def calling_back(hooks: Hooks) -> bool:
    """Returns whether this thread is in a callback of the client."""
    return hooks in _local.callbacks


def name_this_thread() -> None:
    """Names a thread of libzus that runs a callback, so that log lines and debuggers show whose thread it is."""
    thread = threading.current_thread()
    if isinstance(thread, threading._DummyThread) and thread.name.startswith("Dummy-"):
        thread.name = thread.name.replace("Dummy", "zoom_user_status-worker")


def callback(hooks: Hooks, function: Callable[..., Any], failed: Any) -> Callable[..., Any]:
    """Returns the function that libzus calls. It keeps an exception for the caller, and returns ``failed`` to libzus instead."""

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
    # A callback into a finalized interpreter would crash, so this cancels the calls while their threads can still end safely.
    global _closing
    _closing = True
    until = time.monotonic() + 2
    while _running and time.monotonic() < until:
        for call in list(_running):
            call.canceller.cancel()
        time.sleep(0.005)


def _in_child() -> None:
    global _signals, _local, _running
    _signals.forget()
    _signals = _SignalWatch()
    _local = _Local()
    _running = set()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
