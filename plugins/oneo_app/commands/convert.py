"""`oneo convert`: a definition in another dialect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from oneo_app.console import Json, err, out, plain_errors, print_json

Dialect = Literal["catalogue", "reactflow", "steps"]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(convert)


def convert(
    file: Annotated[Path, typer.Argument(help="A workflow definition as JSON.", metavar="FILE")],
    to: Annotated[Dialect, typer.Option("--to", help="The dialect to write.")] = "catalogue",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write it; default: print it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a definition in another dialect. What that cannot say is named, and nothing is written then."""
    from dag_factory.dialects.rewriting import rewrite  # noqa: PLC0415
    from dag_factory.reading import read, read_file  # noqa: PLC0415
    from oneo.errors import InvalidDefinitionError  # noqa: PLC0415

    with plain_errors(as_json):
        reading = read(read_file(file))
        if reading.workflow is None or any(problem.severity == "error" for problem in reading.problems):
            raise InvalidDefinitionError(reading.problems)
        done = rewrite(reading.workflow, to)
        approximations = [*reading.converted.approximations, *done.approximations]
        if done.problems:
            raise InvalidDefinitionError(done.problems)
        text = json.dumps(done.document, indent=2, ensure_ascii=False) + "\n"
        if output is not None:
            output.write_text(text, encoding="utf-8")
        if as_json:
            print_json({"document": done.document, "approximations": approximations})
            return
        for approximation in approximations:
            err.print("[yellow]approximation[/yellow] " + approximation.replace("[", r"\["))
        if output is None:
            out.print(text, end="", markup=False, highlight=False, soft_wrap=True)
