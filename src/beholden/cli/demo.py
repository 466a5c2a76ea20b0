"""``beholden demo``: build a small simulated company and show the main questions answered on it."""

from __future__ import annotations

import io
import shutil
import sys
import time
from pathlib import Path

import click

from beholden.cli._progress import progress_bar
from beholden.cli.output import note
from beholden.core.errors import BeholdenError, UsageError

__all__ = ["demo"]

_DAY_US = 86_400_000_000


@click.command(short_help="Build a small simulated company to try everything on.")
@click.option("--out", type=click.Path(file_okay=False), help="Where to (default: demo-estate).")
@click.option(
    "--preset",
    type=click.Choice(["retailer", "grocer", "bank"]),
    default="retailer",
    show_default=True,
    help="The kind of company.",
)
@click.option("--scale", type=float, default=0.01, show_default=True, help="Its size; 1 is three million customers.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed builds the same company.")
@click.option("--days", type=int, default=14, show_default=True, help="Days whose accesses are simulated.")
@click.option("--end", metavar="DATE", help="The day after the last simulated one (default: today).")
@click.option(
    "--run",
    type=click.Choice(["demo", "prevalence", "recall", "quiet"]),
    default="demo",
    show_default=True,
    help="Which incidents happen: a few to look at, as many as in life, each kind and grade once, none.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Another value of a parameter of the company (docs/reference/meridian-parameters.md); with commas for several.",
)
@click.option("--postgres", metavar="URL", help="Put the stores into this PostgreSQL instead of files.")
@click.option("--mariadb", metavar="URL", help="Put the order system into this MariaDB instead of a file.")
@click.option("--build-only", is_flag=True, help="Build the company and stop.")
def demo(
    *,
    out: str | None,
    preset: str,
    scale: float,
    seed: int,
    days: int,
    end: str | None,
    run: str,
    settings: tuple[str, ...],
    postgres: str | None,
    mariadb: str | None,
    build_only: bool,
) -> None:
    """Build Meridian, a simulated retailer: databases, files, logs, feeds; then scan, ingest and ask.

    Everything that follows is done by the commands shown, on an estate that is left for you to go on with. A build
    that was stopped goes on where it was when the same is built again. What really happened stands in truth/, for
    benchmarks alone.
    """
    from beholden.cli.init import make_estate
    from beholden.core.times import system_clock
    from beholden.retailer import build_company

    began = time.monotonic()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # answers and talk stay in order, also into one file
    if out == "":  # which a path would take for the current directory
        raise UsageError("demo --out", "is empty", expected="an empty or new directory")
    directory = (_free(Path.cwd() / "demo-estate") if out is None else Path(out)).absolute()
    now = system_clock() if end is None else _date(end)
    changes = _changes(settings)
    with progress_bar("building Meridian") as progress:
        company = build_company(
            directory,
            preset=preset,
            scale=scale,
            seed=seed,
            days=days,
            end=now // _DAY_US * _DAY_US,
            run=run,
            postgres=postgres,
            mariadb=mariadb,
            progress=lambda what, share: progress(int(share * 100), 100, what),
            changes=changes,
        )
    make_estate(directory)
    note(
        f"Meridian, a simulated company, stands in {directory}: {company.customers:,} customers, {company.staff:,} staff, "
        f"{company.events:,} events in {days} days"
    )
    note(
        f"{company.documented_share:.1%} of what agents opened has a reason on record; by chance alone it would be "
        f"{company.chance_share:.2%}"
    )
    if build_only:
        return
    for title, arguments in _chapters(preset, company.demo_dataset, company.demo_subject):
        click.echo(f"\n── {title}\n$ beholden {' '.join(arguments)}")
        _run(directory, arguments)
    click.echo(f"\nDone in {time.monotonic() - began:.0f} s. Go on with it:\n")
    programs = Path(sys.executable).parent
    if shutil.which("beholden") != str(programs / "beholden"):
        click.echo(f'  export PATH="{programs}:$PATH"')
    click.echo(f"  cd {_shown(directory)}")
    for line in (
        "beholden map fields                              # every field with its class and evidence",
        f"beholden who --subject {company.demo_subject} --events        # access by access",
        f"beholden who --actor {company.demo_actor}                    # what one member of staff touched",
        "beholden watch reasons --events                  # each access without an open contact",
        "beholden who --class payment_card --json         # for scripts",
        "beholden vault backup vault.backup               # before anything else, on an estate that matters",
    ):
        click.echo(f"  {line}")


def _chapters(preset: str, dataset: str, subject: str) -> list[tuple[str, list[str]]]:
    """What is asked, and how; a run without the incident in question leaves its chapter out."""
    chapters = [
        ("What is there? Look at every store, and say what was not looked at", ["scan"]),
        ("Where do payment cards lie?", ["map", "where", "payment_card"]),
        ("Which of them lie outside the zone they may live in?", ["map", "zones"]),
        ("Where does other personal data lie?", ["map", "where", "email"]),
        ("Read the access logs into the ledger", ["log", "ingest"]),
    ]
    if dataset:
        chapters.append(("Who touched the table of cards that should not exist?", ["who", "--dataset", dataset]))
    if subject:
        where = ["--dataset", "crm/main.customer"] if preset == "retailer" else []  # others call it otherwise
        question = ["who", "--subject", subject, *where, "--from", "15d"]
        chapters.append(("Who touched one customer's profile in the last two weeks?", question))
    return [
        *chapters,
        ("Which accesses had no open contact?", ["watch", "reasons", "--limit", "10"]),
        ("Seal the record and sign its tree head", ["ledger", "seal"]),
        ("The ledger's state", ["ledger", "status"]),
        ("Is the record whole?", ["ledger", "verify"]),
        ("What was not looked at", ["map", "coverage"]),
    ]


def _run(directory: Path, arguments: list[str]) -> None:
    """Run one of our own commands as a person would; its error is a line and the demo goes on."""
    from beholden.cli import cli

    try:
        cli.main(["--estate", str(directory), *arguments], prog_name="beholden", standalone_mode=False)
    except BeholdenError as error:
        note(f"beholden: {error.line()}")


def _free(path: Path) -> Path:
    """The path itself, or the first of path-2, path-3 … that is not taken: a demo never overwrites an estate."""
    candidate, number = path, 1
    while candidate.exists() and not (candidate / "INCOMPLETE").exists():
        number += 1
        candidate = path.with_name(f"{path.name}-{number}")
    return candidate


def _changes(settings: tuple[str, ...]) -> dict[str, object]:
    """The parameters that are set, by name; what they may be is for the company to say."""
    from beholden.retailer import read_parameter

    found: dict[str, object] = {}
    for one in settings:
        name, equals, value = one.partition("=")
        if not equals or not name.strip():
            raise UsageError("demo --set", "not valid", expected="NAME=VALUE, such as agents_min=12")
        if name.strip() in found:
            raise UsageError("demo --set", f"{name.strip()[:40]} is set twice", expected="each parameter once")
        found[name.strip()] = read_parameter(name.strip(), value)
    return found


def _date(text: str) -> int:
    from datetime import UTC

    from beholden.core.times import parse_time

    try:
        return parse_time(text, UTC)
    except ValueError as error:
        raise UsageError("--end", str(error), expected="a date such as 2026-06-30") from None


def _shown(directory: Path) -> str:
    try:
        return str(directory.relative_to(Path.cwd()))
    except ValueError:
        return str(directory)
