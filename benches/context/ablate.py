#!/usr/bin/env python3
"""Shows what each signal of `context` earns: the scores with all of them, and what changes without one.

    benches/context/ablate.py BINARY ROWS.jsonl REPOS [--query query_nopath] [--per-repo N] [--skip N] [--budgets 8192]
                              [--signals NAME,NAME]

See score.py for rows, repositories and metrics. Signals are those of `src/context/rank.rs` and, `chunk-…`, of
`src/context/pack.rs`; a binary that is asked for one it does not have names them all. After each difference stands its
standard error, of the differences row by row: what is within two of them may be luck. Where a difference is above 0,
scores are better without the signal. Weights are not fitted anew, so one signal can stand in for another only as it is.
"""
import os
import re
import subprocess
import sys

from score import Bench, arguments, mean


def signals(bench):
    """Asks the binary which signals it has."""
    repo = next(iter(bench.folders.values()))
    command = [bench.binary, "context", "--rev", bench.rows[0]["parent"], "--without", "?"]
    said = subprocess.run(command, cwd=repo, input=b"anything", capture_output=True).stderr.decode()
    found = re.search(r"there are: (.*)", said)
    return found[1].split(", ") if found else sys.exit(f"{os.path.basename(bench.binary)} names no signals: {said}")


def error(differences):
    """Returns the standard error of the mean."""
    count, middle = len(differences), sum(differences) / len(differences)
    return (sum((one - middle) ** 2 for one in differences) / max(1, count - 1) / count) ** 0.5


def main():
    parser = arguments(__doc__, "8192")
    parser.add_argument("--signals", help="only these; `one+other` goes without both")
    args = parser.parse_args()
    bench = Bench(args)
    names = args.signals.split(",") if args.signals else signals(bench)
    whole, *others = zip(*bench.all([(), *(name.split("+") for name in names)]))
    print(f"{bench.query}, {len(bench.rows)} rows".ljust(30) + "".join(f"{metric:>17}" for metric in whole[0]))
    print("all signals".ljust(30) + "".join(f"{value:17.3f}" for value in mean(whole).values()))
    for name, without in zip(names, others):
        cells = []
        for metric in whole[0]:
            differences = [less[metric] - full[metric] for less, full in zip(without, whole)]
            cells.append(f"{sum(differences) / len(differences):+.4f} ±{error(differences):.4f}")
        print(f"  without {name}".ljust(30) + "".join(f"{cell:>17}" for cell in cells))


if __name__ == "__main__":
    main()
