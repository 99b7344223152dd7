"""A report's HTML read back, strictly: the tests of pages look through it."""

import re
from html.parser import HTMLParser

from siftpack.report import Report

TAGS = {
    "div": {"class"},
    "p": {"class"},
    "span": {"class", "title"},
    "code": {"class"},
    "b": {"class"},
    "i": {"class"},
    "style": set(),
    "details": {"class", "open"},
    "summary": set(),
}
Row = tuple[tuple[str, ...], str, str, str, str, int]


class Page(HTMLParser):
    """What a browser makes of a page: rows under branches. Fails for tags and attributes not known or not closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.branches: list[str] = []
        self.opened: dict[tuple[str, ...], bool] = {}
        self.told: dict[tuple[str, ...], tuple[int, str]] = {}
        self.rows: list[Row] = []
        self.row: dict[str, str] = {}
        self.style = self.head = ""
        self.notes: list[str] = []
        self.feed(text)
        self.close()
        assert not self.tags
        assert not self.branches

    def error(self, message: str) -> None:
        raise AssertionError(message)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        names = [name for name, _ in attrs]
        assert set(names) <= TAGS[tag]
        assert len(names) == len(set(names))
        given_attrs = dict(attrs)
        assert re.fullmatch(r"(siftpack-[a-z]+ ?)*", given_attrs.get("class") or "")
        self.tags.append((tag, given_attrs))
        if tag == "details":
            self.branches.append("")
            self.row = {}
        elif given_attrs.get("class") == "siftpack-row":
            self.row = {}
        if "title" in given_attrs:
            self.row["title"] = given_attrs["title"] or ""

    def handle_endtag(self, tag: str) -> None:
        started, attrs = self.tags.pop()
        assert started == tag
        row = self.row
        if attrs.get("class") == "siftpack-row":
            times = int(row.get("count", "1").removesuffix(" times"))
            place = (*self.branches, row["path"]) if row["path"] != "itself" else tuple(self.branches)
            self.rows.append((place, row["kind"], row.get("type", ""), row["action"], row["title"], times))
        elif tag == "summary":
            self.branches[-1] = row["path"]
            self.told[tuple(self.branches)] = (int(row["count"]), row["mix"])
            self.opened[tuple(self.branches)] = "open" in self.tags[-1][1]
        elif tag == "details":
            self.branches.pop()

    def handle_data(self, data: str) -> None:
        tag, attrs = self.tags[-1]
        names = (attrs.get("class") or "").split()
        if tag == "style":
            self.style += data
        elif names == ["siftpack-note"]:
            self.notes.append(data)
        elif any(each.get("class") == "siftpack-head" for _, each in self.tags):
            self.head += data
        elif names and names[0] != "siftpack-row":
            name = names[0].removeprefix("siftpack-")
            self.row[name] = self.row.get(name, "") + data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment

    def findings(self) -> list[tuple[str, str, str, str]]:
        """The findings as the rows tell them, each path joined of the labels above it."""
        return sorted(
            ("".join(place), kind, name, action)
            for place, kind, name, action, _, times in self.rows
            for _ in range(times)
        )


def page(report: Report) -> Page:
    """The parsed page; it can be sent anywhere, since it is UTF-8 without controls."""
    text = report._repr_html_()
    assert text.isprintable()
    text.encode("utf-8")
    return Page(text)
