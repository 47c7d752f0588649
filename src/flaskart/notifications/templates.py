"""Templates: text by Jinja; HTML by MJML, which is compiled once and then filled by Jinja as well."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    select_autoescape,
)
from markupsafe import Markup

from flaskart.notifications import mjml
from flaskart.notifications.errors import TemplateBroken
from flaskart.notifications.messages import Message

BUILT_IN = Path(__file__).parent / "templates"
# The files of a message, after its name.
SUBJECT, TEXT, HTML = ".subject.txt", ".txt", ".mjml"
_CONTROLS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True, slots=True)
class Written:
    """A message in words."""

    subject: str
    text: str
    html: str


class Templates:
    """The built-in templates, each of which a file of the same name in `own` replaces. Each is read once.

    `shared` are values that every template may use.
    """

    def __init__(self, own: Path | None, shared: Mapping[str, str]) -> None:
        self._folders = [BUILT_IN] if own is None else [own, BUILT_IN]
        self._jinja = Environment(
            loader=FileSystemLoader(self._folders),
            undefined=StrictUndefined,
            autoescape=select_autoescape(["mjml"], default_for_string=True, default=False),
            finalize=_in_one_line,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.globals.update(shared)
        self._compiled: dict[str, Template] = {}

    def write(self, message: Message) -> Written:
        """Fill the templates of a message.

        Raises:
            TemplateBroken: one of them is not there, not well formed, or asks for a value that it does not get.
        """
        subject, text = (self._fill(message.name + part, message) for part in (SUBJECT, TEXT))
        return Written(_CONTROLS.sub(" ", subject).strip(), text.strip() + "\n", self._fill_html(message))

    def source_of(self, file: str) -> Path:
        """Return where a template is read from: the shop's own folder, or the package."""
        return next(folder / file for folder in self._folders if (folder / file).is_file())

    def _fill(self, file: str, message: Message) -> str:
        with self._blaming(file):
            return self._jinja.get_template(file).render(message.values())

    def _fill_html(self, message: Message) -> str:
        file = message.name + HTML
        if file not in self._compiled:
            self._compiled[file] = self._compile(file)
        try:
            with self._blaming(file):
                return self._compiled[file].render(message.values())
        except TemplateBroken:
            # Lines of the compiled template say nothing to its author, but filling the sources fails there as well.
            for source in self._read(file):
                self._fill(source, message)
            raise

    def _compile(self, file: str) -> Template:
        sources = self._read(file)
        for name, source in sources.items():
            with self._blaming(name):
                self._jinja.parse(source, name)
        try:
            html = mjml.compile_html(self._jinja, file, sources)
        except mjml.Malformed as malformed:
            path = self.source_of(malformed.file)
            raise TemplateBroken(f"{path}, line {malformed.line}: {malformed.reason}") from None
        with self._blaming(file):
            return self._jinja.from_string(html)

    def _read(self, file: str) -> dict[str, str]:
        """Return an MJML template, and what it includes, by their names."""
        sources = {file: self._source(file)}
        for included in mjml.included_by(sources[file]):
            sources[included] = self._source(included)
            if mjml.included_by(sources[included]):
                raise TemplateBroken(f"{self.source_of(included)}: what is included may not include in turn")
        return sources

    def _source(self, file: str) -> str:
        with self._blaming(file):
            loader = self._jinja.loader
            return "" if loader is None else loader.get_source(self._jinja, file)[0]

    @contextmanager
    def _blaming(self, file: str) -> Iterator[None]:
        """Turn a failure of the template `file`, or of one that it uses, into one that says where it is."""
        try:
            yield
        except TemplateNotFound as missing:
            raise TemplateBroken(f"there is no template {missing.name} in {self._folders[0]}") from None
        except UnicodeDecodeError:
            raise TemplateBroken(f"{self.source_of(file)}: not UTF-8") from None
        except TemplateSyntaxError as wrong:
            path = self.source_of(wrong.name or file)
            raise TemplateBroken(f"{path}, line {wrong.lineno}: {wrong.message}") from None
        except Exception as failure:  # noqa: BLE001 - whatever an expression of a template may come to
            # What else is said may have values in it, and those are secret.
            reason = str(failure) if isinstance(failure, TemplateError) else type(failure).__name__
            frames = [
                frame for frame in extract_tb(failure.__traceback__) if Path(frame.filename).parent in self._folders
            ]
            place = f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else str(self.source_of(file))
            raise TemplateBroken(f"{place}: {reason}") from None


def _in_one_line(value: object) -> object:
    """Keep a value from breaking lines: who chose it shall not write headers, or paragraphs that look like ours."""
    return value if isinstance(value, Markup) else _CONTROLS.sub(" ", str(value))
