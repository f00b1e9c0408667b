#!/usr/bin/env python3
"""Replays consecutive commits of a real project as goals, and compares the code trees with upstream's.

    benches/history_replay.py BINARY REPOSITORY [--commits 30] [--tip REV] [--work DIR] [--test CMD]

REPOSITORY is any git repository with a linear first-parent history. The last N first-parent commits up to REV become N
goals, each needing the one before; the reply to each is that commit's change as whole files, `DELETE` and `MODE` orders.
The range must not touch what no reply may touch (CI, git's own and agent files): such a goal is refused, and fails.
The provider is the scripted one: what is proved is everything but the model. Prints one line a goal and exits 0 only if
every goal landed and the code tree after each is equal to upstream's. A goal that does not land counts as failed; nothing
is skipped.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile


def git(repo, *args, text=True, **more):
    done = subprocess.run(["git", "-C", repo, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    if done.returncode:
        sys.exit(f"git {' '.join(args)}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode() if text else done.stdout


def fence_for(content):
    longest = max((len(run) for run in re.findall(r"`+", content)), default=0)
    return "`" * max(3, longest + 1)


def reply_for(repo, old, new):
    """Words the change between two commits as a reply."""
    parts = []
    rows = git(repo, "diff-tree", "-r", "-z", "--no-renames", "--raw", old, new).split("\0")
    for meta, path in zip(rows[0::2], rows[1::2]):
        old_mode, new_mode, old_blob, blob, status = meta[1:].split(" ")
        if status == "D":
            parts.append(f"DELETE `{path}`\n")
            continue
        if old_mode != new_mode and (old_mode, new_mode) != ("000000", "100644"):
            parts.append(f"MODE `{path}` {new_mode}\n")
        if old_blob == blob:
            continue
        try:
            content = git(repo, "cat-file", "blob", blob, text=False).decode()
        except UnicodeDecodeError:
            sys.exit(f"{new}: {path} is binary, which no reply can hold")
        fence = fence_for(content)
        word = "" if content.endswith("\n") or not content else " no-newline"
        end = "" if content.endswith("\n") or not content else "\n"
        name = f"`{path}`" if re.search(r"\s", path) else path
        parts.append(f"{name}\n{fence}text{word}\n{content}{end}{fence}\n")
    return "\n".join(parts)


def kinds(repo, commits):
    """Counts what the commits do, as git tells it with renames."""
    found = dict.fromkeys(("added", "changed", "deleted", "renamed", "mode changed"), 0)
    words = {"A": "added", "M": "changed", "T": "changed", "D": "deleted", "R": "renamed"}
    for old, new in zip(commits, commits[1:]):
        for row in git(repo, "diff-tree", "-r", "-M", "--raw", old, new).splitlines():
            old_mode, new_mode, _, _, status = row[1:].split("\t")[0].split(" ")
            found[words[status[0]]] += 1
            found["mode changed"] += "000000" not in (old_mode, new_mode) and old_mode != new_mode
    return ", ".join(f"{count} {word}" for word, count in found.items())


def tree(repo, commit):
    """Lists a commit's files with mode and content, without the memory files that are ours."""
    rows = git(repo, "ls-tree", "-r", commit).splitlines()
    return [row for row in rows if not re.search(r"\tmemory/(pending_goals|completed_goals|history)\.json$", row)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("repository")
    parser.add_argument("--commits", type=int, default=30)
    parser.add_argument("--tip", default="HEAD")
    parser.add_argument("--test", default="true", help="the check command")
    parser.add_argument("--work", help="where to work; a fresh temporary folder where absent")
    args = parser.parse_args()
    binary, source = os.path.abspath(args.binary), os.path.abspath(args.repository)
    work = args.work or tempfile.mkdtemp(prefix="invisigoth-replay-")
    repo = os.path.join(work, "repo")
    commits = git(source, "rev-list", "--first-parent", f"-{args.commits + 1}", args.tip).split()[::-1]
    if len(commits) != args.commits + 1:
        sys.exit(f"{source} has only {len(commits) - 1} commits to replay")
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", source, repo], check=True)
    git(repo, "checkout", "-q", "-B", "replay", commits[0])
    git(repo, "config", "user.name", "Replay")
    git(repo, "config", "user.email", "replay@example.invalid")
    print(f"{args.commits} commits up to {commits[-1][:12]}: files {kinds(source, commits)}", flush=True)
    goals, script, before = [], {}, None
    for number, (old, new) in enumerate(zip(commits, commits[1:])):
        goal = f"commit-{number:03}"
        subject = git(source, "log", "-1", "--format=%s", new).strip()
        goals.append({"id": goal, "description": subject or goal, "prompt": "", "status": "pending",
                      "dependencies": [before] if before else []})
        script[goal] = [reply_for(source, old, new)]
        before = goal
    path = os.path.join(work, "script.json")
    with open(path, "w") as file:
        json.dump({"goals": script}, file)
    os.makedirs(os.path.join(repo, "memory"), exist_ok=True)
    with open(os.path.join(repo, "memory", "pending_goals.json"), "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(goal) for goal in goals) + "\n]\n")
    # What a real commit touches is no reply's business as a rule; here the person in charge allows it.
    flags = ["--provider", "mock", "--set", f"llm.script={path}", "--set", f"check.test={args.test}",
             "--set", 'paths.allow=["*"]']
    done = subprocess.run([binary, "-C", repo, "run", *flags])
    for number, goal in enumerate(goals):
        state = json.loads(subprocess.run([binary, "-C", repo, "--json", "show", goal["id"]], check=True,
                                          stdout=subprocess.PIPE).stdout)
        if state["state"] != "landed":
            print(f"{goal['id']} {state['state']} {state.get('reason', '')}")
    landed = git(repo, "rev-list", "--first-parent", "--reverse", f"{commits[0]}..replay").split()[-len(goals):]
    ours = [tree(repo, commit) for commit in landed]
    theirs = [tree(source, commit) for commit in commits[1:]]
    same = sum(mine == their for mine, their in zip(ours, theirs))
    git(repo, "fsck", "--strict")
    print(f"{work}: {len(goals)} commits, exit {done.returncode}; trees equal to upstream's after {same} of {len(goals)}, "
          f"at the end {'equal' if ours[-1] == theirs[-1] else 'DIFFERENT'}")
    for row in sorted(set(ours[-1]) ^ set(theirs[-1]))[:20]:
        print("  ", row)
    sys.exit(0 if done.returncode == 0 and ours == theirs else 1)


if __name__ == "__main__":
    main()
