"""A page as a test reads it: tags, identifiers and text, every tag closed."""

import re
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """Collects what is on a page, and insists that every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.words = [], [], [], []
        self.inside = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside.append(tuple(self.open))
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside.append(tuple(self.open))
        self.ids += [value for name, value in attributes if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def having(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def parts(text, tag):
    """Return the source of every element of a kind that holds none of its kind."""
    return re.findall(rf"<{tag}\b.*?</{tag}>", text, flags=re.DOTALL)


def section(text, name):
    """Return the source from one heading to the next of its kind or the section's end."""
    start = text.index(f'<h3 id="{name}">')
    return re.split(r"<h3 id=|</section>", text[start + 4 :])[0]
