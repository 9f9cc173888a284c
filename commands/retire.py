"""`lnrisk retire`."""

from pathlib import Path

import click

from .shared import Command

__all__ = ["retire"]


@click.command(cls=Command)
@click.argument("name")
@click.option("--by", required=True, metavar="NAME", help="Who decides.")
@click.option("--reason", required=True, help="Why.")
@click.option("--alias", default="champion", show_default=True)
@click.option(
    "--ledger",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("lnrisk-ledger.jsonl"),
    show_default=True,
)
@click.option("--tracking-uri", help="MLflow tracking URI.  [default: sqlite:///mlflow.db]")
def retire(
    name: str, by: str, reason: str, alias: str, ledger: Path, tracking_uri: str | None
) -> None:
    """Take the alias from the registered model NAME: nothing is live under it any more."""
    from ..training.champions import retire as retire_champion

    model = retire_champion(name, by, reason, ledger, alias=alias, tracking_uri=tracking_uri)
    click.echo(f"model {model.version} is no longer the {alias} of {name}; entered in {ledger}")
