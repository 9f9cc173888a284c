"""A throw-away PostgreSQL cluster, on a Unix socket only, and all that a database holds."""

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy

FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c listen_addresses=''"


def _programs():
    """Return the folder of initdb and pg_ctl, the newest where there are several."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))
    found = [str(folder) for folder in folders if (folder / "initdb").exists()]
    if not found and shutil.which("initdb") is None:
        pytest.skip("needs PostgreSQL: Debian's package postgresql")
    return found[-1] if found else str(Path(shutil.which("initdb")).parent)


@contextmanager
def postgresql():
    """Start a cluster and give its URI; as root it runs as the user postgres."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="lnrisk-pg-", dir="/tmp"))  # a socket's path is short
    who = {}
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def call(program, *arguments):
        with (folder.parent / f"{folder.name}.log").open("a") as log:
            command = [f"{programs}/{program}", "-D", str(folder / "data"), *arguments]
            subprocess.run(command, check=True, stdout=log, stderr=log, cwd="/", timeout=120, **who)

    try:
        call("initdb", "-A", "trust", "-U", "lnrisk", "-E", "UTF8", "--locale=C", "--no-sync")
        call("pg_ctl", "start", "-w", "-o", f"{FAST} -k {folder}", "-l", str(folder / "log"))
        try:
            yield f"postgresql+psycopg://lnrisk@/postgres?host={folder}"
        finally:
            call("pg_ctl", "stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder)
        (folder.parent / f"{folder.name}.log").unlink(missing_ok=True)


def everything_in(uri):
    """Return all rows of all tables of a database, as text."""
    engine = sqlalchemy.create_engine(uri)
    tables = sqlalchemy.MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        rows = [row for table in tables.sorted_tables for row in connection.execute(table.select())]
    engine.dispose()
    assert len(rows) > 100
    return "\n".join(map(str, rows))
