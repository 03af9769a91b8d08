"""`safeconvert explain`: the documentation in the terminal."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from safeconvert.cli import completion
from safeconvert.cli.errors import people_errors


def explain(
    topic: Annotated[
        list[str] | None,
        typer.Argument(
            help="A fault kind, exit code, verdict, trial outcome, obligation, command, or a line of output.",
            metavar="TOPIC",
            autocompletion=completion.topics,
        ),
    ] = None,
) -> None:
    """Print a topic's page, or the list of topics."""
    with people_errors(False):
        from safeconvert.cli.topics import find_topic, topics

        known = topics()
        if not topic:
            typer.echo("topics, by page:")
            for page in dict.fromkeys(one.page for one in known):
                first, *rest = (one for one in known if one.page == page)
                typer.echo(f"\n{page}: {first.title}")
                names = list(dict.fromkeys(one.name for one in rest))
                if names:
                    typer.echo(f"  {', '.join(names)}")
            return
        text = find_topic(" ".join(topic), known).text
        if not sys.stdout.isatty():
            typer.echo(text, nl=False)
            return
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
