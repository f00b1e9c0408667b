#!/usr/bin/env python3
"""Measures how long the graph of a backlog takes: the page, as first asked for and as kept, and `status --graph`.

    benches/graph.py BINARY [--goals 500] [--landed 2000]

Works in a scratch repository in a temporary folder, with no model. Goals need up to three of the forty before them. Wall
seconds; of three, the least.
"""
import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.request


def rows(count, prefix, landed):
    random.seed(7)
    for n in range(count):
        before = range(max(0, n - 40), n)
        needs = random.sample(before, min(len(before), random.randrange(4)))
        goal = {
            "id": f"{prefix}{n:05}",
            "description": f"Goal {n} of a backlog that is as long as some backlogs are",
            "prompt": "",
            "dependencies": [f"{prefix}{need:05}" for need in sorted(needs)],
            "status": "completed" if landed else "pending",
        }
        yield json.dumps(goal, separators=(",", ":"))


def repository(path, goals, landed):
    def git(*words):
        subprocess.run(["git", *words], cwd=path, check=True, stdout=subprocess.DEVNULL)

    os.makedirs(os.path.join(path, "memory"))
    for name, lines in (
        ("pending_goals.json", rows(goals, "goal-", False)),
        ("completed_goals.json", rows(landed, "done-", True)),
    ):
        with open(os.path.join(path, "memory", name), "w") as file:
            file.write("[\n" + ",\n".join(lines) + "\n]\n")
    git("init", "-q", "-b", "main")
    git("config", "user.name", "Bench")
    git("config", "user.email", "bench@example.invalid")
    git("add", "-A")
    git("commit", "-q", "-m", "start")


def timed(what, act):
    times = []
    for _ in range(3):
        began = time.monotonic()
        act()
        times.append(time.monotonic() - began)
    print(f"{what:<32} first {times[0]:.3f} s, least {min(times):.3f} s")


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("binary")
    args.add_argument("--goals", type=int, default=500)
    args.add_argument("--landed", type=int, default=2000)
    args = args.parse_args()
    binary = os.path.abspath(args.binary)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "repository")
        repository(path, args.goals, args.landed)

        def draw(*more):
            drawn = subprocess.run([binary, "status", "--graph", *more], cwd=path, check=True, stdout=subprocess.PIPE)
            assert drawn.stdout.count(b"\n") > args.goals

        timed("status --graph", draw)
        timed("status --graph --landed", lambda: draw("--landed"))
        server = subprocess.Popen([binary, "serve", "--port", "0"], cwd=path, stdout=subprocess.PIPE, text=True)
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        try:
            # The link signs in, once.
            link = re.search(r"http://\S+", server.stdout.readline()).group()
            browser.open(link).read()
            address = re.match(r"http://[^/]+/", link).group()

            def ask(what):
                with browser.open(address + what) as answer:
                    size = len(answer.read())
                assert size > 100 * args.goals, size

            timed("/graph", lambda: ask("graph"))
            timed("/graph?landed=1", lambda: ask("graph?landed=1"))
            timed("/graph?focus=goal-00100", lambda: browser.open(address + "graph?focus=goal-00100").read())
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    sys.exit(main())
