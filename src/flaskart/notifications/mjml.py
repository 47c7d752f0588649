"""MJML with Jinja in it, compiled to HTML with the same Jinja in it."""

import re
from collections.abc import Mapping
from xml.parsers import expat

import css_inline
import mrml
from jinja2 import Environment

_RENDERING = mrml.RenderOptions(fonts={})  # none is fetched from elsewhere, which would tell who reads the mail
_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
_INCLUDE = re.compile(r"""<mj-include\s+path\s*=\s*["']([^"']*)["']\s*/>""")
_CONDITIONAL = re.compile(r"<!--\[if .*?<!\[endif\]-->", re.DOTALL)
_MARK = re.compile(r"<!--jinja-(\d+)\s*;-->|jinja-(\d+)\s*;")
_FOREIGN = re.compile(r"<(mj-[a-z-]+|mjml)\b")


class Malformed(Exception):
    """A source is not MJML."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}, line {line}: {reason}")
        self.file, self.line, self.reason = file, line, reason


def included_by(source: str) -> list[str]:
    """Return the names of the files that an MJML source includes."""
    return _INCLUDE.findall(source)


def compile_html(jinja: Environment, file: str, sources: Mapping[str, str]) -> str:
    """Return the HTML of the MJML in `file`, which may include the other sources; CSS is inlined.

    Jinja's code passes through untouched: neither compiler sees more of it than a mark.

    Raises:
        Malformed: MJML cannot be read, or has an element that does not exist.
    """
    code: list[str] = []
    veiled = {name: _veil(jinja, source, code) for name, source in sources.items()}
    # The compiler could include as well, but what it includes it takes to be as wide as the screen.
    whole = _INCLUDE.sub(lambda include: veiled[include[1]], veiled[file])
    try:
        html = mrml.to_html(whole, render_options=_RENDERING).content
    except OSError:
        raise _mistake_in(file, veiled) from None
    foreign = _FOREIGN.search(html)
    if foreign:
        raise _find(foreign[1], veiled)
    # A comment cannot be inside another one, as those for Outlook are.
    html = _CONDITIONAL.sub(lambda comment: comment[0][:4] + _bare(comment[0][4:-3]) + comment[0][-3:], html)
    return _MARK.sub(lambda mark: code[int(mark[1] or mark[2])], _INLINER.inline(html))


def _veil(jinja: Environment, source: str, code: list[str]) -> str:
    """Return a source with a mark in place of each piece of Jinja, which is appended to `code`.

    A mark is a comment where an element could be, so that it may stand between the rows of a table.
    """
    veiled, piece = "", ""
    for _line, kind, text in jinja.lex(source):
        if kind == "data" and not piece:
            veiled += text
            continue
        piece += text
        if kind.endswith("_end") or kind == "raw_begin":
            mark = f"jinja-{len(code)}" + "\n" * piece.count("\n") + ";"
            is_in_tag = veiled.rfind("<") > veiled.rfind(">")
            veiled += mark if is_in_tag or kind == "variable_end" else f"<!--{mark}-->"
            code.append(piece)
            piece = ""
    return veiled


def _bare(text: str) -> str:
    return re.sub(r"<!--(jinja-\d+\s*;)-->", r"\1", text)


def _mistake_in(file: str, sources: Mapping[str, str]) -> Malformed:
    """Return where the first mistake is: XML that is not well-formed, or an element or text where none may be."""
    for name, source in sources.items():
        parser = expat.ParserCreate()
        parser.UseForeignDTD(True)  # so that HTML's entities are let pass
        try:
            parser.Parse(f"<source>{source}</source>", True)
        except expat.ExpatError as mistake:
            return Malformed(name, mistake.lineno, expat.ErrorString(mistake.code))
    try:
        mrml.to_html(_INCLUDE.sub("", sources[file]))
    except OSError as unreadable:
        position = re.search(r" at position (\d+):\d+$", str(unreadable))  # in bytes; it is not always told
        rest = sources[file].encode()[int(position[1]) :].lstrip() if position else sources[file].encode()
        return Malformed(file, sources[file].count("\n") - rest.count(b"\n") + 1, "not MJML")
    line = next(number for number, text in enumerate(sources[file].splitlines(), start=1) if _INCLUDE.search(text))
    return Malformed(file, line, "what is included is not MJML")


def _find(element: str, sources: Mapping[str, str]) -> Malformed:
    for file, source in sources.items():
        found = re.search(rf"<{element}\b", source)
        if found:
            return Malformed(file, source.count("\n", 0, found.start()) + 1, f"MJML has no <{element}> here")
    raise AssertionError("unreachable")
