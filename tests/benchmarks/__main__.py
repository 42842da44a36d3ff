"""The benchmark table: `python -m tests.benchmarks [--only NAME] [--quick] [--rounds N] [--list]`."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.bench import FULL, QUICK, Bench
from tests.benchmarks.measure import reaping
from tests.benchmarks.peers import cache_folder, gather_peers
from tests.benchmarks.profiling import WORKS, profile
from tests.benchmarks.rows.every import ROWS
from tests.benchmarks.table import Table, as_json, as_markdown
from tests.benchmarks.web_server import nginx


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    names = [row.name for row in ROWS]
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help="a row by its name; repeat")
    parser.add_argument("--list", action="store_true", help="say which rows there are")
    parser.add_argument("--quick", action="store_true", help="little work and one round, to see that everything runs")
    parser.add_argument("--files", type=int, default=0, help="files of the rows batch and batch-delay (100,000)")
    parser.add_argument("--rounds", type=int, default=0, help="rounds behind each median (5; --quick: 1)")
    parser.add_argument("--profile", choices=sorted(WORKS), help="run ours alone under a profiler, print the hot path")
    parser.add_argument("--work", type=Path, help="folder for files and downloads (12 GiB, or more; the temporary one)")
    parser.add_argument("--cache", type=Path, default=cache_folder(), help="folder that keeps the peers from PyPI")
    parser.add_argument("--no-install", action="store_true", help="take the peers that are there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables to a file too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to a file too")
    return parser.parse_args()


def run_rows(bench: Bench, names: list[str], *, is_quick: bool) -> list[Table]:
    """Run rows one after another, printing each as it is done; little work is not judged."""
    tables = []
    for row in ROWS:
        if row.name in names:
            for full in row.run(bench):
                table = replace(full, verdicts=()) if is_quick else full
                print(as_markdown(table), flush=True)
                tables.append(table)
    return tables


def describe(bench: Bench) -> str:
    """Return who took part, on what machine."""
    system = os.uname()
    head = f"{os.cpu_count()} cores, {system.sysname} {system.release} {system.machine}"
    return "\n".join([head, *bench.peers.lines()])


def summary(tables: list[Table], *, is_quick: bool) -> str:
    """Return all verdicts together; little work proves none."""
    if is_quick:
        return "--quick: this shows that everything runs; start-up outweighs the work, so targets are not judged"
    verdicts = [(table, verdict) for table in tables for verdict in table.verdicts]
    met = sum(1 for _, verdict in verdicts if verdict.is_met)
    missed = [f"- {table.title}: {verdict.text()}" for table, verdict in verdicts if not verdict.is_met]
    return "\n".join([f"{met} of {len(verdicts)} targets met", *missed])


def write_files(asked: argparse.Namespace, bench: Bench, tables: list[Table]) -> None:
    """Write what was asked for."""
    if asked.markdown:
        peers = "\n".join(f"- {line}" for line in describe(bench).split("\n"))
        text = [
            *(as_markdown(table) for table in tables),
            "## Targets",
            "",
            summary(tables, is_quick=asked.quick),
            "",
            "## Programs",
            "",
            peers,
        ]
        asked.markdown.write_text("\n".join(text) + "\n")
    if asked.json:
        asked.json.write_text(as_json(tables))


def main() -> None:
    """Gather the peers, make the files, run the rows."""
    asked = read_arguments()
    if asked.list:
        for row in ROWS:
            print(f"{row.name:12} {row.title}" + (f"\n{'':12} target: {row.target}" if row.target else ""))
        return
    names = asked.only or [row.name for row in ROWS]
    libraries = ["py-spy"] if asked.profile else [one for row in ROWS if row.name in names for one in row.libraries]
    peers = gather_peers(asked.cache, dict.fromkeys(libraries), may_install=not asked.no_install)
    work = Path(tempfile.mkdtemp(prefix="tui-dl-bench-", dir=asked.work))
    work.chmod(0o755)  # nginx reads as another user
    root = work / "www"
    root.mkdir()
    try:
        with reaping(), nginx(root, work / "nginx") as web:
            scale = QUICK if asked.quick else FULL
            if asked.files:
                scale = replace(scale, batch_files=asked.files)
            bench = Bench(work, root, scale, asked.rounds or (1 if asked.quick else 5), peers, web)
            print(describe(bench) + "\n", flush=True)
            if asked.profile:
                print(profile(bench, asked.profile))
                return
            tables = run_rows(bench, names, is_quick=asked.quick)
            print(summary(tables, is_quick=asked.quick))
            write_files(asked, bench, tables)
    finally:
        shutil.rmtree(work)
    if any(not one.lines[0].wall_s or one.lines[0].note for one in tables):
        sys.exit("tui-dl itself failed in a row")


if __name__ == "__main__":
    main()
