#!/usr/bin/env python3
"""Asks for the context of real commits' messages, and scores it by what these commits changed.

    benches/context/score.py BINARY ROWS.jsonl REPOS [--query query_nopath] [--per-repo N] [--skip N] [--budgets 2048,8192]

ROWS are made by rows.py; the repository `owner/name` of a row is REPOS/owner+name/repo or REPOS/owner+name. Each query is
sent to `BINARY context --json`, two at once. Means over queries, one without an answer counting as 0:

    MRR     1 / the place of the first changed file among the ranked ones
    R@10    the share of the changed files among the first ten
    file@B  the share of the changed files of which anything is shown within B tokens of four bytes
    hunk@B  the share of the changed places of which a line is shown within B tokens
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys


def ask(binary, repo, rev, query, budget, without=()):
    """Returns the answer of `context`, or nothing where there is none."""
    flags = [flag for name in without for flag in ("--without", name)]
    command = [binary, "context", "--json", "--rev", rev, "--budget", str(budget), *flags]
    done = subprocess.run(command, cwd=repo, input=query.encode(), capture_output=True)
    if done.returncode:
        print(f"{repo} {rev[:12]}: {(done.stdout + done.stderr).decode(errors='replace').strip()}", file=sys.stderr)
        return {"ranked": [], "items": []}
    return json.loads(done.stdout)


def place(row, answer):
    """Scores the order of files."""
    changed = [file["path"] for file in row["files"]]
    places = [answer["ranked"].index(path) + 1 for path in changed if path in answer["ranked"]]
    return {"MRR": 1 / min(places) if places else 0.0, "R@10": sum(at <= 10 for at in places) / len(changed)}


def shown(row, answer, budget):
    """Scores what is shown. What is beyond the budget does not count."""
    ranges, used = {}, 0.0
    for item in answer["items"]:
        used += item["tokens"]
        if used > budget * 1.0001:
            break
        ranges.setdefault(item["path"], []).extend(item["ranges"])
    hunks = [(file["path"], first, last) for file in row["files"] for first, last in file["hunks"]]
    hit = sum(any(a <= last and first <= z for a, z in ranges.get(path, ())) for path, first, last in hunks)
    return {f"file@{budget}": sum(file["path"] in ranges for file in row["files"]) / len(row["files"]),
            f"hunk@{budget}": hit / len(hunks)}


class Bench:
    """Rows, and how to score them."""

    def __init__(self, args):
        self.binary, self.query = os.path.abspath(args.binary), args.query
        self.budgets = [int(budget) for budget in str(args.budgets).split(",")]
        self.rows, seen = [], {}
        with open(args.rows) as file:
            for row in map(json.loads, file):
                at = seen[row["repo"]] = seen.get(row["repo"], 0) + 1
                if args.skip < at <= args.skip + args.per_repo:
                    self.rows.append(row)
        folders = {repo: os.path.join(args.repos, repo.replace("/", "+")) for repo in seen}
        self.folders = {repo: os.path.join(path, "repo") if os.path.isdir(os.path.join(path, "repo")) else path
                        for repo, path in folders.items()}

    def score(self, row, without=()):
        scores = {}
        for budget in self.budgets:
            answer = ask(self.binary, self.folders[row["repo"]], row["parent"], row[self.query], budget, without)
            scores.update(place(row, answer), **shown(row, answer, budget))
        return scores

    def all(self, variants=((),)):
        """Returns for each row its scores without each variant's signals. Row by row, as the index keeps what was asked last."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda row: [self.score(row, without) for without in variants], self.rows))


def mean(scores):
    return {metric: sum(one[metric] for one in scores) / len(scores) for metric in scores[0]}


def arguments(text, budgets):
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("binary", "rows", "repos"):
        parser.add_argument(name)
    parser.add_argument("--query", default="query_nopath", choices=("query_nopath", "query_short", "query_raw"))
    parser.add_argument("--per-repo", type=int, default=10 ** 9, help="how many rows of each repository")
    parser.add_argument("--skip", type=int, default=0, help="how many rows of each repository to pass over before")
    parser.add_argument("--budgets", default=budgets, help="tokens")
    return parser


def main():
    bench = Bench(arguments(__doc__, "2048,8192,32768").parse_args())
    scores = [score for score, in bench.all()]
    repos = list(dict.fromkeys(row["repo"] for row in bench.rows))
    lines = [(repo, [score for row, score in zip(bench.rows, scores) if row["repo"] == repo]) for repo in repos]
    print(f"{bench.query:24} rows " + " ".join(f"{metric:>10}" for metric in scores[0]))
    for name, some in [*lines, ("all", scores)]:
        print(f"{name:24} {len(some):4} " + " ".join(f"{value:10.3f}" for value in mean(some).values()))


if __name__ == "__main__":
    main()
