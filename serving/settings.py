"""What whoever starts the service may choose about its answers.

Assumes the defaults fit one hospital on one machine; every limit exists so that one request cannot
take the service away from the others.
"""

from dataclasses import dataclass
from typing import Literal

from .feedback import Keeper

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """Settings of the service.

    Parameters
    ----------
    host, port : str, int
        Where it listens.
    most_rows : int
        Rows of one patient, all tables together.
    most_patients : int
        Patients of one batch, rows of one table of features.
    longest_seconds : float
        Time for one answer; a batch has it for each part that it streams.
    feedback : Keeper or None
        Where feedback on cards goes; None where there is no place for it.
    keeps : {"nothing", "log", "inputs"}
        What the service keeps of a request, so that the page can say it: nothing, an entry of the
        audit log, or also what was sent.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    most_rows: int = 20_000
    most_patients: int = 1_000
    longest_seconds: float = 30.0
    feedback: Keeper | None = None
    keeps: Literal["nothing", "log", "inputs"] = "nothing"
