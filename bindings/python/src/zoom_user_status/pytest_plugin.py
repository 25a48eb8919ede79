"""The fixture ``fake_zoom``, which pytest finds by itself where this package is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generator

import pytest

if TYPE_CHECKING:
    from .testing import FakeZoom


@pytest.fixture
def fake_zoom() -> Generator[FakeZoom, None, None]:
    """A fake Zoom on loopback: see ``zoom_user_status.testing``."""
    from .testing import FakeZoom  # late: a suite that doesn't use it pays nothing

    with FakeZoom() as zoom:
        yield zoom
