"""What goes wrong with data or a model, said to the person who meets it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["DefinitionError", "LnriskError", "ModelError", "RegistryError", "field_by_field"]


class LnriskError(Exception):
    """The data or the model is not fit for what was asked; the message says why."""


class RegistryError(LnriskError):
    """A registry was refused; the message names file, row, field and what is accepted."""


class DefinitionError(LnriskError):
    """A definition file is not one; the message names the field and what is accepted."""


class ModelError(LnriskError):
    """A model cannot be used for what was asked."""


def field_by_field(what: str, error: "ValidationError") -> str:
    """Return what a file is not, and below it each field of it with what is wrong."""
    problems = [
        f"  {'.'.join(str(part) for part in problem['loc']) or 'file'}: {problem['msg']}"
        for problem in error.errors()
    ]
    return "\n".join([what, *problems])
