"""What goes wrong with data or a model, said to the person who meets it."""

__all__ = ["DefinitionError", "LnriskError", "ModelError", "RegistryError"]


class LnriskError(Exception):
    """The data or the model is not fit for what was asked; the message says why."""


class RegistryError(LnriskError):
    """A registry was refused; the message names file, row, field and what is accepted."""


class DefinitionError(LnriskError):
    """A definition file is not one; the message names the field and what is accepted."""


class ModelError(LnriskError):
    """A model cannot be used for what was asked."""
