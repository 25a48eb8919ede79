"""Makes the client from the options of the command line, and sets up logging."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import List

from .._client import Client
from .._options import Options
from .environment import Environment, apply_to_process
from .terminal import CommandLineError

_FORMAT = "%(asctime)s %(levelname)s %(threadName)s: %(message)s"


def make_client(env: Environment, options: argparse.Namespace) -> Client:
    apply_to_process(env)
    try:
        return Client.from_env(env.values, **_client_options(options))
    except OSError as error:
        raise CommandLineError(f"{error.filename}: {error.strerror}") from None


def _client_options(options: argparse.Namespace) -> Options:
    """Returns the options that the command line sets. The library has the defaults of the others."""
    found: Options = {}
    if getattr(options, "rate", None) is not None:
        found["rate"] = options.rate
    if getattr(options, "concurrency", None) is not None:
        found["concurrency"] = options.concurrency
    if getattr(options, "verify", None):
        found["verify"] = options.verify
    if options.timeout is not None:
        found["timeout"] = options.timeout
    if options.retries is not None:
        found["retries"] = options.retries
    if options.proxy is not None:
        found["proxy"] = options.proxy
    if options.ca_file is not None:
        found["ca_file"] = options.ca_file
    return found


def start_logging(options: argparse.Namespace) -> None:
    """Writes log lines to the standard error, to a file, or to both. No line holds a secret."""
    log = logging.getLogger("zoom_user_status")
    handlers: List[logging.Handler] = []
    if options.debug:
        handlers.append(logging.StreamHandler(sys.stderr))
    if options.log_file is not None:
        try:
            handlers.append(logging.FileHandler(options.log_file, encoding="utf-8", errors="backslashreplace"))
        except OSError as error:
            raise CommandLineError(f"{options.log_file}: {error.strerror or error}") from None
    for handler in handlers:
        handler.setFormatter(logging.Formatter(_FORMAT))
        log.addHandler(handler)
        log.setLevel(logging.DEBUG)
