"""Pages of HTML in a notebook."""

from __future__ import annotations

import html


def framed(page, title):
    """A page within another: a frame of its own, as it has a style of its own."""
    return f'<iframe srcdoc="{html.escape(page, quote=True)}" title="{title}" style="width:100%;height:40em;border:0"></iframe>'


class Explanation:
    """One prediction, explained."""

    def __init__(self, text, page):
        self.text, self.html = text, page

    def __str__(self):
        return self.text

    __repr__ = __str__

    def _repr_html_(self):
        return framed(self.html, "explanation")
