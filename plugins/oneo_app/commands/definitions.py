"""`oneo nodes`, `validate`, `plan`, `eval`: what needs no database and no Airflow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from oneo_app.console import (
    USER_PROBLEM,
    Json,
    answer,
    err,
    out,
    plain_errors,
    print_json,
    show_problems,
    table,
)

File = Annotated[Path, typer.Argument(help="A workflow definition as JSON.", metavar="FILE")]

FileOrFolder = Annotated[
    Path, typer.Argument(help="A workflow definition as JSON, or a folder of them.", metavar="FILE_OR_FOLDER")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(nodes)
    app.command()(validate)
    app.command()(plan)
    app.command(name="eval")(evaluate)


def nodes(as_json: Json = False) -> None:
    """List the node types, with --json also the JSON Schema of each config."""
    from oneo_app.connect import airflow_environment  # noqa: PLC0415 - the command line must start fast

    with plain_errors(as_json):
        airflow_environment()
        from oneo_operators.catalogue import catalogue  # noqa: PLC0415

        found: list[dict[str, Any]] = [
            {
                "type": node.type,
                "category": node.category,
                "description": node.description,
                "effect": node.effect,
                "config_schema": node.Config.model_json_schema(by_alias=True),
            }
            for node in catalogue().all()
        ]

        def show() -> None:
            shown = table("type", "category", "effect", "description")
            for one in found:
                shown.add_row(one["type"], one["category"], one["effect"], one["description"])
            out.print(shown)
            for name, broken in catalogue().broken.items():
                err.print(f"[red]{name} could not be loaded[/red] from {broken.source}: {broken.error}")
                err.print(f"  {broken.hint}")

        answer(found, as_json, show)


def validate(file: FileOrFolder, as_json: Json = False) -> None:
    """Check a definition, or all of a folder; every problem names node, JSON path and remedy."""
    with plain_errors(as_json):
        if file.is_dir():
            _validate_all(file, as_json)
            return
        found = _examine(file)
        answer(found.as_json(), as_json, lambda: _show(file, found))
        if not found.ok:
            raise typer.Exit(USER_PROBLEM)


def _validate_all(folder: Path, as_json: bool) -> None:
    from oneo.errors import UserError  # noqa: PLC0415

    files = sorted(path for path in folder.rglob("*.json") if path.is_file())
    if not files:
        raise UserError(
            f"{folder} holds no definition", hint="give a folder with .json files, or one such file"
        )
    found = [(file, _examined_or_refused(file)) for file in files]

    def show() -> None:
        for file, examination in found:
            _show(file, examination)
        bad = sum(not examination.ok for _, examination in found)
        verdict = f"[red]{bad} not valid[/red]" if bad else "[green]all valid[/green]"
        out.print(f"{len(files)} definition(s) in {folder}: {verdict}")

    answer([{"file": str(file), **examination.as_json()} for file, examination in found], as_json, show)
    if not all(examination.ok for _, examination in found):
        raise typer.Exit(USER_PROBLEM)


def _examined_or_refused(file: Path) -> Any:
    """One file that cannot be read must not hide what is wrong with the others."""
    from dag_factory.examine import Examination  # noqa: PLC0415
    from oneo.errors import UserError  # noqa: PLC0415
    from oneo.problems import Problem  # noqa: PLC0415

    try:
        return _examine(file)
    except UserError as error:
        problem = Problem("error", None, "$", error.message, error.hint)
        return Examination(None, "none", [problem], [], None, None)


def _show(file: Path, found: Any) -> None:
    show_problems(found.problems)
    for approximation in found.approximations:
        out.print("[yellow]approximation[/yellow] " + approximation.replace("[", r"\["))
    verdict = "[green]valid[/green]" if found.ok else "[red]not valid[/red]"
    out.print(f"{file}: {verdict}, {len(found.problems)} problem(s), dialect {found.dialect}")


def plan(file: File, as_json: Json = False) -> None:
    """Show what a definition compiles to."""
    from oneo.errors import InvalidDefinitionError  # noqa: PLC0415

    with plain_errors(as_json):
        found = _examine(file)
        compiled = found.plan
        if compiled is None:
            raise InvalidDefinitionError(found.problems)

        def show() -> None:
            out.print(
                f"[bold]{compiled.name}[/bold] ({compiled.workflow_id}) {compiled.definition_hash[:12]}"
            )
            if compiled.schedule is not None:
                out.print(f"runs at {compiled.schedule.cron} {compiled.schedule.timezone}")
            shown = table("node", "type", "after", "reads", "retries", "on error")
            for node in compiled.nodes:
                after = ", ".join(
                    edge.source + ("" if edge.routes == ("success",) else f" [{'|'.join(edge.routes)}]")
                    for edge in compiled.edges_to(node.id)
                )
                row = (node.id, node.type, after, ", ".join(node.reads), str(node.retry.count), node.on_error)
                shown.add_row(*(cell.replace("[", r"\[") for cell in row))
            out.print(shown)

        answer(compiled.as_json(), as_json, show)


def evaluate(
    expression: Annotated[str, typer.Argument(help="A template such as 'Hello {{ record.name }}'.")],
    context: Annotated[Path, typer.Option("--context", "-c", help="JSON file with the names it sees.")],
    condition: Annotated[bool, typer.Option("--condition", help="Read it as a condition.")] = False,
    as_json: Json = False,
) -> None:
    """Evaluate an expression against names from a file."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from dag_factory.reading import read_file  # noqa: PLC0415
    from oneo.errors import ExpressionError, UserError  # noqa: PLC0415
    from oneo.expressions import Scope, compile_condition, compile_template  # noqa: PLC0415

    with plain_errors(as_json):
        names = read_file(context)
        if not isinstance(names, dict):
            raise UserError(
                f"{context} does not hold a JSON object", hint='write {"record": {…}, "variables": {…}}'
            )
        scope = Scope(names, now=datetime.now(UTC), seed=expression)
        try:
            compiled: Any = compile_condition(expression) if condition else compile_template(expression)
            value = compiled.evaluate(scope)
        except ExpressionError as error:
            if as_json:
                print_json({"error": error.as_json()})
            err.print(f"[red]{error.message}[/red]".replace("[[", r"\[["))
            if error.position is not None:
                shown, place = _around(expression, error.position)
                err.print(f"  {shown}\n  {' ' * place}^", markup=False, soft_wrap=True)
            if error.hint:
                err.print(f"  {error.hint}", markup=False)
            raise typer.Exit(USER_PROBLEM) from None
        answer(
            {"value": value, "type": type_name(value)}, as_json, lambda: out.print(repr(value), markup=False)
        )


def _around(source: str, position: int) -> tuple[str, int]:
    """The line of a source that a position is in, cut to what is near, and the place of the position in it."""
    start = max(source.rfind("\n", 0, position) + 1, position - 60)
    line = source[start:].split("\n", 1)[0]
    return line[:120], position - start


def type_name(value: Any) -> str:
    """What JSON, or the expression language beside JSON, calls a value's type."""
    from datetime import timedelta  # noqa: PLC0415

    names = {
        type(None): "null",
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        list: "array",
        tuple: "array",
        dict: "object",
        timedelta: "duration",
    }
    return names.get(type(value), type(value).__name__.lower())


def _examine(file: Path) -> Any:
    from dag_factory.reading import read_file  # noqa: PLC0415
    from oneo_app.connect import airflow_environment  # noqa: PLC0415

    document = read_file(file)
    airflow_environment()
    from dag_factory.examine import examine  # noqa: PLC0415
    from oneo_operators.catalogue import catalogue  # noqa: PLC0415

    return examine(document, catalogue())
