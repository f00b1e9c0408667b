#!/usr/bin/env python3
"""Measures the figures that the documentation quotes.

    benches/figures.py BINARY [--quick] [--work DIR]

Everything happens in fresh scratch repositories under DIR (a temporary folder where absent; put it on the file system you
want to measure), with the scripted provider and `true` as lint and test, so what is measured is ours alone. CPU is user +
system of the process and its children; wall is the clock. Compare figures of one call with each other: machines differ.
"""
import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time


def run(*command, cwd=None, check=True):
    """Runs a command; returns wall and CPU seconds, peak memory in MiB, and its output."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if check and done.returncode:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout.decode()}\n{done.stderr.decode()}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, done.stdout.decode()


def repository(path, files):
    # Nothing is deleted while measuring: ext4 searches past inodes freed in the last seconds, which would be measured too.
    os.makedirs(path)
    run("git", "init", "-q", "-b", "main", cwd=path)
    settings = {"user.name": "Bench", "user.email": "bench@example.invalid", "gc.auto": "0", "maintenance.auto": "false"}
    for key, value in settings.items():
        run("git", "config", key, value, cwd=path)
    for number in range(files):
        folder = os.path.join(path, f"src/{number // 100:03}")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"m{number:05}.txt"), "w") as file:
            file.write(f"module {number}\n" * 20)
    with open(os.path.join(path, "invisigoth.toml"), "w") as file:
        file.write('[check]\nlint = ["true"]\ntest = ["true"]\n')


def commit(path):
    run("git", "add", "-A", cwd=path)
    run("git", "commit", "-q", "-m", "start", cwd=path)


def rows(path, name, items):
    os.makedirs(os.path.join(path, os.path.dirname(f"memory/{name}")), exist_ok=True)
    with open(os.path.join(path, "memory", name), "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(item, separators=(",", ":")) for item in items) + "\n]\n")


def name(number):
    return f"src/{number % 53 // 100:03}/m{number % 53:05}.txt"


def goal(number, needs=()):
    """Goals rewrite files that are there, so that the repository does not grow while it is measured."""
    return {"id": f"goal-{number:06}", "description": f"Rewrite file {number}", "filename": name(number),
            "prompt": f"Rewrite {name(number)} for goal {number}.", "dependencies": list(needs), "status": "pending"}


def script(path, count):
    text = [f"goal {n}\n" * 20 for n in range(count)]
    replies = {f"goal-{n:06}": [f"File: {name(n)}\n```\n{text[n]}```\n"] for n in range(count)}
    with open(path, "w") as file:
        json.dump({"goals": replies}, file)


def per_goal(binary, work, files, goals, landed=0):
    """Returns wall and CPU milliseconds per goal, start-up and the one look at the base included."""
    repo, path = os.path.join(work, f"repo-{files}-{goals}-{landed}"), os.path.join(work, "script.json")
    repository(repo, files)
    rows(repo, "pending_goals.json", [goal(n) for n in range(goals)])
    old = [f"old-{n:06}" for n in range(landed)]
    done = [{"id": o, "description": o, "status": "completed", "commit": "1" * 40, "landed_at": "2026-01-01T00:00:00Z"} for o in old]
    for kind, name in (("completed", "completed_goals.json"), ("history", "history.json")):
        items = done if kind == "completed" else [dict(goal=o, commit="1" * 40, filler="x" * 400) for o in old]
        full = len(items) // 256 * 256
        for number in range(full // 256):
            rows(repo, f"{kind}/{number + 1:04}.json", items[number * 256:(number + 1) * 256])
        rows(repo, name, items[full:])
    commit(repo)
    script(path, goals)
    # The slot is filled once and kept warm: that is not a goal's cost.
    flags = ("--provider", "mock", "--set", f"llm.script={path}")
    run(binary, "-C", repo, "check")
    wall, cpu, _ = run(binary, "-C", repo, "run", *flags)
    status = run("git", "status", "--porcelain", cwd=repo)[2]
    merged = int(run("git", "rev-list", "--count", "--no-merges", "main", cwd=repo)[2])
    assert merged == goals + 1 and not status, (merged, status)
    return 1000 * wall / goals, 1000 * cpu / goals, repo


def left_behind(repo, goals):
    refs = run("git", "for-each-ref", "--format=%(refname)", cwd=repo)[2].split()
    odd = [os.path.join(folder, name) for folder, _, names in os.walk(os.path.join(repo, ".git")) for name in names
           if name.endswith(".lock") and name != "run.lock" or name.startswith("tmp_")]
    run("git", "fsck", "--strict", cwd=repo)
    print(f"left behind after {goals} goals: {len(refs)} refs, {len(odd)} lock or temporary files")


def backlog_status(binary, work, goals):
    repo = os.path.join(work, "many")
    repository(repo, 3)
    rows(repo, "pending_goals.json", [goal(n, [f"goal-{n - 1:06}"] if n % 3 else []) for n in range(goals)])
    commit(repo)
    measured = subprocess.run(["/usr/bin/time", "-f", "%e %U %S %M", binary, "-C", repo, "status"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wall, user, system, memory = measured.stderr.decode().split()[-4:]
    print(f"status, {goals} goals: {wall} s wall, {float(user) + float(system):.2f} s CPU, {int(memory) // 1024} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--quick", action="store_true", help="smaller repositories and backlogs")
    parser.add_argument("--work", help="where to work; a fresh temporary folder where absent")
    args = parser.parse_args()
    binary = os.path.abspath(args.binary)
    work = tempfile.mkdtemp(prefix="invisigoth-figures-", dir=args.work)
    os.environ["HOME"] = work
    os.environ["XDG_CACHE_HOME"] = os.path.join(work, "cache")
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "OPENROUTER_API_KEY"):
        os.environ.pop(name, None)
    times = [run(binary, "--version")[1] for _ in range(50)]
    print(f"start-up: {1000 * sum(times) / len(times):.1f} ms CPU (mean of 50)")
    backlog_status(binary, work, 10_000 if args.quick else 100_000)
    big, many, landed = (2_000, 200, 1_000) if args.quick else (27_000, 1_000, 10_000)
    # What fences a command in is measured by itself: it belongs to the check.
    os.environ["INVISIGOTH_CHECK_SANDBOX"] = "none"
    for files, goals, done in dict.fromkeys(((53, 20, 0), (53, 200, 0), (53, many, 0), (big, 50, 0), (53, 50, landed))):
        wall, cpu, repo = per_goal(binary, work, files, goals, done)
        more = f", {done} landed before" if done else ""
        print(f"per goal, {files} files, {goals} goals{more}: {wall:.1f} ms wall, {cpu:.1f} ms CPU")
        if goals == many:
            left_behind(repo, goals)
    bare = per_goal(binary, work, 53, 40)[0]
    os.environ["INVISIGOTH_CHECK_SANDBOX"] = "auto"
    fenced, _, repo = per_goal(binary, work, 53, 41)
    sandbox = json.loads(run(binary, "-C", repo, "--json", "check")[2])["sandbox"]
    print(f"sandbox {sandbox}, per command: {(fenced - bare) / 2:.1f} ms wall (two commands a goal)")
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
