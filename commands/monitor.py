"""`lnrisk monitor`."""

import os
from pathlib import Path

import click

from .shared import FILE, Command, TablePath, good, misuse, read_registry, say, skip_option

__all__ = ["monitor"]


@click.command(cls=Command)
@click.argument("log", metavar="AUDIT_LOG", type=click.Path(exists=True, path_type=Path))
@click.argument(
    "registry", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--model", "version", help="Version of the model; the latest in the log otherwise.")
@click.option("--pseudonym-key", type=FILE, help="The key that the service had, to join outcomes.")
@click.option("--out", type=TablePath((".html", ".json")), help="The report; JSON to stdout else.")
@click.option("--tracking-uri", help="Also log the report to this MLflow server.")
@click.option("--experiment", default="lnrisk-monitor", show_default=True, help="Its experiment.")
@skip_option
def monitor(
    log: Path,
    registry: Path | None,
    version: str | None,
    pseudonym_key: Path | None,
    out: Path | None,
    tracking_uri: str | None,
    experiment: str,
    skip_bad_rows: bool,
) -> None:
    """Say how the model does in use: drift of inputs and scores, calibration in time.

    From the AUDIT_LOG of `lnrisk serve --audit` and, where given, a REGISTRY that knows by now what
    became of the patients; they are joined by the pseudonyms of the log.
    """
    from ..features.files import write_files
    from ..serving.audit.pseudonyms import KEY_VARIABLE, load_pseudonyms
    from ..serving.monitor.report import as_json, as_page
    from ..serving.monitor.run import monitor as look

    pseudonyms = load_pseudonyms(pseudonym_key, os.environ)
    if registry is not None and pseudonyms is None:
        misuse(f"joining a REGISTRY needs the service's key: --pseudonym-key or {KEY_VARIABLE}.")
    known = good(read_registry(registry, skip_bad_rows)) if registry is not None else None
    report = look(log, version, known, pseudonyms)
    if out is None:
        click.echo(as_json(report), nl=False)
    else:
        write_files({out: as_page(report) if out.suffix == ".html" else as_json(report)})
    if tracking_uri is not None:
        from ..serving.monitor.tracking import log_report

        say(f"MLflow run {log_report(report, experiment, tracking_uri)}")
    moved = [each["name"] for each in report["inputs"] if each["says"] == "moved"]
    say(f"model {report['model']['version']}: {report['answers']['assessments']} assessments")
    say(f"inputs that moved: {', '.join(moved) or 'none seen'}")
    say(f"scores: {report['scores'][0]['says']}")
    whole = report["calibration"][0]["says"] if report["calibration"] else "no registry was given"
    say(f"calibration: {whole}")
