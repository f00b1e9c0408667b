#!/usr/bin/env python3
"""Works through many goals with several jobs and counts what must not happen.

    benches/thousand.py BINARY [--goals 1000] [--jobs 8] [--conflicts 0.1] [--right 0.95]

As makespan.py, with a quick model and quick checks: replies take some 20 ms, some are wrong, and some goals do not go
together with their neighbour at first, so that batches turn red. Afterwards: every goal landed exactly once, nothing else is
left, the code of every first-parent commit of the target is green (judged again by what the commits contain), and how long
`status` takes before and after. The exit code says whether all that holds.
"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import time

import figures
import makespan


def status(binary, repo):
    """Returns the median milliseconds of five calls."""
    return sorted(1000 * figures.run(binary, "-C", repo, "status")[0] for _ in range(5))[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--goals", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--checks", type=int, default=4, help="checks at a time")
    parser.add_argument("--stack", type=int, default=3, help="run.stack")
    parser.add_argument("--shape", choices=makespan.SHAPES, default="sparse")
    parser.add_argument("--right", type=float, default=0.95, help="how likely a reply is right")
    parser.add_argument("--conflicts", type=float, default=0.1, help="how likely two neighbours do not go together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the repository")
    args = parser.parse_args()
    binary = os.path.abspath(args.binary)
    work = makespan.fresh("invisigoth-thousand-")
    needs = makespan.needs_of(args.shape, args.goals, random.Random(f"w{args.seed}"))
    repo, log = makespan.backlog(work, needs, 0)
    model = makespan.Model(args.seed, args.right, args.conflicts, median=0.02)
    flags = makespan.settings(model, args.jobs, args.checks, args.stack)
    before = status(binary, repo)
    began = time.monotonic()
    done = subprocess.run([binary, "-C", repo, *flags, "run"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wall = time.monotonic() - began
    model.close()
    with open(os.path.join(work, "run.log"), "wb") as file:
        file.write(done.stderr + done.stdout)
    after = status(binary, repo)
    count, (red, commits) = makespan.landed(repo), makespan.red_commits(repo)
    lost = [goal for goal in range(args.goals) if not count[goal]]
    twice = [goal for goal, times in count.items() if times > 1]
    missing = [goal for goal in range(args.goals) if not os.path.exists(os.path.join(repo, makespan.file_of(goal)))]
    refs = figures.run("git", "for-each-ref", "--format=%(refname)", "refs/heads/invisigoth", "refs/invisigoth/claims", cwd=repo)[2]
    dirty = figures.run("git", "status", "--porcelain", cwd=repo)[2]
    figures.run("git", "fsck", "--strict", "--no-dangling", cwd=repo)
    with open(log) as file:
        checks = [line.split()[3] for line in file]
    print(f"{args.goals} goals, {args.jobs} jobs: {wall:.1f} s, {sum(model.asked.values())} model calls, {len(checks)} checks "
          f"({checks.count('red')} red), {commits - 1} landings")
    print(f"{len(lost)} lost, {len(twice)} landed twice, {len(red)} of {commits} first-parent commits red, "
          f"{len(missing)} files missing, {len(refs.split())} refs left, checkout {'dirty' if dirty else 'clean'}")
    print(f"status: {before:.0f} ms before, {after:.0f} ms after (median of 5)")
    is_bad = done.returncode or lost or twice or red or missing or refs or dirty or max(before, after) > 100
    if is_bad or args.keep:
        print(f"exit {done.returncode}; kept in {work}")
    else:
        shutil.rmtree(work)
    sys.exit(1 if is_bad else 0)


if __name__ == "__main__":
    main()
