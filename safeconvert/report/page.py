"""The report: one page that holds everything, made from a certificate's content and its evidence alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Template
from markupsafe import Markup, escape

from safeconvert.certificate.archive import Evidence
from safeconvert.report.page_templates import FOLDER, templates
from safeconvert.report.view import view


def render(
    predicate: Mapping[str, Any], evidence: Evidence | None = None, notices: Sequence[str] = (), certificate: str = ""
) -> str:
    """The page as HTML.

    Args:
        predicate: the certificate's content, of whatever age and from whomever; what is missing is left out.
        evidence: what lies beside it.
        notices: what a reader has to know first, such as why there is no evidence.
        certificate: file name of the certificate; "" where none was written.
    """
    css, script = (Markup((FOLDER / name).read_text(encoding="utf-8")) for name in ("page.css", "page.js"))
    return _template().render(page=view(predicate, evidence, list(notices), certificate), css=css, js=script)


@cache
def _template() -> Template:
    environment = templates()
    environment.filters["breakable"] = _breakable
    return environment.get_template("page.html.jinja")


def _breakable(name: str) -> Markup:
    """A node's or file's name that may go on in the next line behind its slashes and underscores."""
    return Markup(re.sub(r"(?<=[/_])(?=[^/_])", "<wbr>", str(escape(name))))
