"""How a report in HTML looks: its colours as a table, and the style sheet made of them. Every name is its own."""

COLOURS: dict[str, dict[str, tuple[str, str]]] = {
    "light": {
        "page": ("#1f2328", "#ffffff"),
        "dim": ("#59636e", "#ffffff"),
        "hover": ("#1f2328", "#f3f5f7"),
        "data": ("#0b4a8f", "#dcebfc"),
        "secret": ("#7a1f5c", "#fbe0f0"),
        "machinery": ("#3d3a94", "#e6e5fb"),
        "link": ("#7a4300", "#fdebc8"),
        "aside": ("#444c56", "#e8ebee"),
        "hook": ("#9a1b1b", "#fde2e0"),
    },
    "dark": {
        "page": ("#e4e8ec", "#16191d"),
        "dim": ("#9aa4af", "#16191d"),
        "hover": ("#e4e8ec", "#21262c"),
        "data": ("#a9d0ff", "#12325a"),
        "secret": ("#ffb3df", "#511540"),
        "machinery": ("#c8c6ff", "#2d2a6e"),
        "link": ("#ffd48a", "#4f2f05"),
        "aside": ("#c3cbd4", "#343b43"),
        "hook": ("#ffb9b3", "#5c1616"),
    },
}
"""By theme and part: the colour of the text and that of its ground."""


def _theme(name: str) -> str:
    return "".join(
        f"--siftpack-{part}:{ink};--siftpack-{part}-ground:{ground};" for part, (ink, ground) in COLOURS[name].items()
    )


def _badge(part: str) -> str:
    return f".siftpack-report .siftpack-{part}{{color:var(--siftpack-{part});background:var(--siftpack-{part}-ground)}}"


_RULES = """
.siftpack-report{color-scheme:light dark;color:var(--siftpack-page);background:var(--siftpack-page-ground);
font:14px/1.5 system-ui,sans-serif;text-align:left;padding:.6em .8em;border-radius:6px;max-width:72em;
overflow-wrap:anywhere}
.siftpack-report .siftpack-head,.siftpack-report .siftpack-note{margin:0 0 .5em}
.siftpack-report .siftpack-head{display:flex;flex-wrap:wrap;gap:.35em .5em;align-items:baseline}
.siftpack-report .siftpack-note,.siftpack-report .siftpack-mix,.siftpack-report .siftpack-action,
.siftpack-report i.siftpack-path{color:var(--siftpack-dim)}
.siftpack-report code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:inherit;
background:none;padding:0;border:0;white-space:pre-wrap;unicode-bidi:isolate}
.siftpack-report summary{cursor:pointer;padding:.1em .3em;border-radius:4px}
.siftpack-report summary:hover,.siftpack-report .siftpack-row:hover{background:var(--siftpack-hover-ground)}
.siftpack-report summary .siftpack-path{font-weight:600}
.siftpack-report .siftpack-count{font-size:12px;font-weight:600;padding:0 .5em;border-radius:1em;
color:var(--siftpack-aside);background:var(--siftpack-aside-ground)}
.siftpack-report .siftpack-mix{font-size:12px}
.siftpack-report details[open]>summary .siftpack-mix{display:none}
.siftpack-report .siftpack-inside{margin-left:.55em;padding-left:.75em;
border-left:1px solid var(--siftpack-aside-ground)}
.siftpack-report .siftpack-row{display:grid;grid-template-columns:minmax(0,1fr) 8.5em 5.5em 21em;gap:0 .5em;
align-items:baseline;padding:.1em .3em;border-radius:4px}
.siftpack-report .siftpack-kind{font-size:12px;font-weight:600;padding:0 .55em;border-radius:1em;white-space:nowrap;
justify-self:start}
.siftpack-report .siftpack-kind[title]{cursor:help}
.siftpack-report .siftpack-action{font-size:12px}
@media (max-width:56em){.siftpack-report .siftpack-row{display:flex;flex-wrap:wrap;padding:.25em .3em}
.siftpack-report .siftpack-place{flex:1 0 100%}.siftpack-report .siftpack-row .siftpack-type{flex:0 1 auto;min-width:0}}
"""

STYLE = (
    f".siftpack-report{{{_theme('light')}}}"
    f"@media (prefers-color-scheme:dark){{.siftpack-report{{{_theme('dark')}}}}}"
    + "".join(_badge(part) for part in COLOURS["light"] if part not in ("page", "dim", "hover"))
    + _RULES.replace("\n", "")
)
"""The whole style sheet; it names nothing outside of a report and loads nothing."""
