"""Regular expressions compiled when they are first needed.

Compiling one takes as long as reading ten lines of a configuration, and most of ours are for lines that
a given configuration does not have.
"""

from __future__ import annotations

import re
from functools import cache


@cache
def compiled(text: str) -> re.Pattern[str]:
    """Give the compiled ``text``."""
    return re.compile(text)
