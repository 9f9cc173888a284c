"""The report's figures: plain results in, inline SVG with words and a table out."""

from .picture import picture, save_picture

__all__ = ["picture", "save_picture"]
