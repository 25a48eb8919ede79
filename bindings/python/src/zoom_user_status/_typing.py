"""Self and Unpack at run time too, where pydantic and the like resolve annotations."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Optional

__all__ = ["Self", "Unpack"]

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack
elif sys.version_info >= (3, 11):
    from typing import Self, Unpack
else:  # any names that can stand in an annotation
    Self, Unpack = Any, Optional
