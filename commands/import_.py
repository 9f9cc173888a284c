"""`lnrisk import`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .shared import FILE, Command, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..features.sources.codes import Codes
    from ..features.sources.imported import Imported

__all__ = ["import_"]


@click.command("import", cls=Command)
@click.argument("standard", type=click.Choice(["omop", "fhir", "meds"]))
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--codes", type=FILE, help="A TOML file with your own codes, in the form of docs/sources.md."
)
@click.option("--synthetic", is_flag=True, help="The patients are simulated.")
def import_(standard: str, source: Path, folder: Path, codes: Path | None, synthetic: bool) -> None:
    """Read a standard SOURCE into the registry bundle DIR, and say what was not used.

    SOURCE is an OMOP CDM 5.4 (a folder or zip archive of CSV files), FHIR R4 (a JSON or NDJSON
    file, or a folder of them), or the folder of a MEDS 0.4 dataset.
    """
    from ..features.errors import RegistryError
    from ..features.sources.codes import load_codes

    imported = _reader(standard)(source, load_codes(codes))
    if synthetic:
        imported.provenance["synthetic"] = True
    n = len(imported.tables["patients"])
    if n:
        imported.write(folder)
    click.echo(imported.report.text())
    if not n:
        raise RegistryError(f"{source.name}: no patient could be used; nothing was written.")
    say(f"{folder}: {n} patient{'s' * (n > 1)}; mapping.json has the whole report.")
    if imported.provenance["synthetic"]:
        say("The patients are marked as simulated.")


def _reader(standard: str) -> "Callable[[Path, Codes], Imported]":
    if standard == "omop":
        from ..features.sources.omop import read_omop

        return read_omop
    if standard == "fhir":
        from ..features.sources.fhir import read_fhir_folder

        return read_fhir_folder
    from ..features.sources.meds import read_meds

    return read_meds
