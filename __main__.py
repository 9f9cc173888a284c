"""The command line: which commands there are."""

import logging
import os
import sys

import click

from . import __version__
from .commands.audit import audit
from .commands.check import check
from .commands.demo import demo
from .commands.export import export
from .commands.features import features
from .commands.import_ import import_
from .commands.label import label
from .commands.ledger import ledger
from .commands.monitor import monitor
from .commands.pool import pool
from .commands.promote import promote
from .commands.replay import replay
from .commands.report import report
from .commands.retire import retire
from .commands.score import score
from .commands.serve import serve
from .commands.shared import Group
from .commands.simulate import simulate
from .commands.token import token
from .commands.train import train
from .commands.update import update
from .commands.validate import validate

__all__ = ["main"]


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="lnrisk")
def main() -> None:
    """Calibrated early risk of refractory lupus nephritis, beside the rule-based label.

    Research software, no medical device.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


COMMANDS = (
    check,
    import_,
    label,
    features,
    simulate,
    train,
    report,
    validate,
    pool,
    update,
    promote,
    retire,
    ledger,
    score,
    export,
    serve,
    replay,
    audit,
    monitor,
    token,
    demo,
)
for command in COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    sys.exit(main())
