"""Tells PyInstaller where this package's hook is."""

from __future__ import annotations

import os
from typing import List


def get_hook_dirs() -> List[str]:
    return [os.path.dirname(__file__)]
