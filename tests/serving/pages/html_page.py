"""Reads a page as a flat list of elements, each with its attributes, text and ancestors."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

ALONE = {"meta", "link", "input", "br", "path", "circle", "rect", "line"}


@dataclass
class Element:
    tag: str
    attributes: dict
    ancestors: list
    parts: list = field(default_factory=list)

    @property
    def text(self):
        return " ".join(" ".join(self.parts).split())

    def __getitem__(self, name):
        return self.attributes.get(name)

    def has_class(self, name):
        return name in (self["class"] or "").split()


class Page(HTMLParser):
    """The elements of a page in their order."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.source = [], [], text
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        element = Element(tag, dict(attrs), list(self.open))
        self.elements.append(element)
        if tag not in ALONE:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append(Element(tag, dict(attrs), list(self.open)))

    def handle_endtag(self, tag):
        while self.open and tag not in ALONE:
            if self.open.pop().tag == tag:
                break

    def handle_data(self, data):
        for element in self.open:
            element.parts.append(data)

    def all(self, tag=None, **attributes):
        return [
            e
            for e in self.elements
            if (tag is None or e.tag == tag)
            and all(e[name.rstrip("_")] == value for name, value in attributes.items())
        ]

    def one(self, tag=None, **attributes):
        (element,) = self.all(tag, **attributes)
        return element

    def with_class(self, name):
        return [e for e in self.elements if e.has_class(name)]

    @property
    def text(self):
        return " ".join(self.one("body").text.split())
