"""Tables as plain records, as the results file holds them.

Assumes that a count which is not a whole number was never meant to be shown.
"""

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["COUNTS", "plain", "records"]

COUNTS = ("patients", "events", "resamples", "centres")


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain records; what is not finite is None, and counts are whole numbers.

    Examples
    --------
    >>> records(pd.DataFrame({"patients": [12.0, np.nan], "auroc": [0.8, np.nan]}))
    [{'patients': 12, 'auroc': 0.8}, {'patients': None, 'auroc': None}]
    """
    return [
        {str(key): plain(value, str(key)) for key, value in record.items()}
        for record in table.to_dict("records")
    ]


def plain(value: Any, name: str = "") -> Any:
    """Return one value as JSON can hold it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return int(value) if name in COUNTS and isinstance(value, float) else value
