"""Provides Self and Unpack at run time too: libraries such as pydantic resolve annotations then."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Optional

__all__ = ["Self", "Unpack"]

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack
elif sys.version_info >= (3, 11):
    from typing import Self, Unpack
else:  # any name that an annotation can hold
    Self, Unpack = Any, Optional
