"""What the tests of training share."""

from people import fits

__all__ = ["fits"]
