"""Provides the fixture ``fake_zoom``. pytest finds it by itself where this package is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generator

import pytest

if TYPE_CHECKING:
    from .testing import FakeZoom


@pytest.fixture
def fake_zoom() -> Generator[FakeZoom, None, None]:
    """Provides a fake Zoom on loopback: see ``zoom_user_status.testing``."""
    from .testing import FakeZoom  # here, so that a test suite that doesn't use it doesn't import it

    with FakeZoom() as zoom:
        yield zoom
