#!/usr/bin/env python3
"""Measures how close a run with several jobs comes to the least time that its goals can take.

    benches/makespan.py BINARY [--shape S] [--jobs 8] [--goals 100] [--right 1.0] [--conflicts 0] [--verbose]

A scratch repository with a backlog of one of four shapes is worked through by the real binary. A server of this script
answers as a model would, after as long as a model would take divided by 100 (lognormal, median 1.2 s); checks sleep 0.6 s and
write down which code they judged. The bound is what somebody who knows all times beforehand could not beat: the longest
chain, all work over all jobs, and all checks over all that may run at a time; each goal is worked on once, and nothing is
checked after it was merged. Time starts with the command, so that filling slots and a look at the base count.
"""
import argparse
import collections
import http.server
import json
import math
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import figures

SHAPES = ("independent", "layered", "sparse", "chains8")
MEDIAN, SIGMA, CHECK, MOST_ROUNDS = 1.2, 0.7, 0.6, 20


def needs_of(shape, count, rng):
    """Returns what each goal needs, by number; only lower ones."""
    needs = [[] for _ in range(count)]
    if shape == "chains8":
        for goal in range(8, count):
            needs[goal] = [goal - 8]
    elif shape == "layered":
        # Layers of random width, each goal on one to three of the layer before.
        width, before, goal = max(2, math.isqrt(count) + 2), [], 0
        while goal < count:
            layer = range(goal, min(count, goal + rng.randint(max(1, width // 2), width + width // 2)))
            for member in layer if before else ():
                needs[member] = sorted(rng.sample(before, min(len(before), rng.choice([1, 1, 2, 2, 3]))))
            before, goal = list(layer), layer.stop
    elif shape == "sparse":
        # Most stand alone, the others on one or two of anything before.
        for goal in range(1, count):
            if rng.random() > 0.6:
                needs[goal] = sorted(rng.sample(range(goal), min(goal, rng.choice([1, 1, 2]))))
    return needs


class Model:
    """Answers requests about goals; what it says and how long it takes depends on the seed, the goal and the try alone."""

    def __init__(self, seed, right=1.0, conflicts=0.0, median=MEDIAN):
        self.seed, self.right, self.conflicts, self.median = seed, right, conflicts, median
        self.asked, self.spans, self.lock = collections.Counter(), [], threading.Lock()
        model = self

        class Answers(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                began = time.monotonic()
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                goal = goal_in(asked)
                with model.lock:
                    model.asked[goal] += 1
                    nth = model.asked[goal] - 1
                seconds, is_right = model.draw(goal, nth)
                time.sleep(seconds)
                with model.lock:
                    model.spans.append((goal, began, time.monotonic()))
                usage = {"prompt_tokens": 1000, "completion_tokens": 50, "cost": 0.001}
                message = {"role": "assistant", "content": reply(goal, model.value(goal, nth) if is_right else wrong(nth))}
                answer = {"id": "1", "model": "stub", "usage": usage,
                          "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def draw(self, goal, nth):
        rng = random.Random(f"a{self.seed}/{goal}/{nth}")
        return self.median * math.exp(rng.gauss(0, SIGMA)), rng.random() < self.right

    def value(self, goal, nth):
        """A number that no two files may share. Some goals take the one of the goal before at first; a second try has its own."""
        clashes = goal % 2 and random.Random(f"c{self.seed}/{goal}").random() < self.conflicts
        return f"{goal}.{nth}" if nth else str(goal - 1 if clashes else goal)

    def work(self, goal):
        """Returns how long a goal keeps somebody busy, and how often it is checked."""
        seconds, checks = 0.0, 0
        for nth in range(MOST_ROUNDS):
            takes, is_right = self.draw(goal, nth)
            seconds, checks = seconds + takes + CHECK, checks + 1
            if is_right:
                break
        return seconds, checks

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def file_of(goal):
    return f"src/{goal // 100:03}/n{goal:05}.txt"


def goal_in(asked):
    texts = [message.get("content") for message in asked["messages"]]
    found = re.search(r"\[\[number (\d+)\]\]", json.dumps(texts))
    if not found:
        raise ValueError("asked about no goal")
    return int(found[1])


def reply(goal, value):
    return f"File: {file_of(goal)}\n```\n{value}\n```\n"


def wrong(nth):
    """Each time something else: two failures that are the same end an attempt."""
    return "bad" + chr(ord("a") + nth % 26)


# What is judged: no file says `bad`, and no two files say the same. Each run leaves a line: when it began and ended, the
# code, and the verdict.
JUDGE = """\
began=$(date +%s.%N)
all=$(find src -name '*.txt' | sort | xargs cat /dev/null)
code=$(echo "$all" | sha1sum | cut -c1-40)
sleep {seconds}
verdict=green
if echo "$all" | grep bad || echo "$all" | sort | uniq -d | grep .; then verdict=red; fi
echo "$began $(date +%s.%N) $code $verdict" >> {log}
[ $verdict = green ]
"""


def backlog(work, needs, check_seconds):
    """Makes the repository; returns it and where checks leave their lines."""
    repo, log = os.path.join(work, "repo"), os.path.join(work, "checks.log")
    figures.repository(repo, 0)
    os.makedirs(os.path.join(repo, "src"))
    with open(os.path.join(repo, "src", "start.txt"), "w") as file:
        file.write("start\n")
    with open(os.path.join(repo, "judge.sh"), "w") as file:
        file.write(JUDGE.format(seconds=check_seconds, log=log))
    with open(os.path.join(repo, "invisigoth.toml"), "w") as file:
        file.write('[check]\ntest = ["sh judge.sh"]\n')
    name = "goal-{:05}".format
    rows = [{"id": name(n), "description": f"Write number {n}", "filename": file_of(n),
             "prompt": f"Write [[number {n}]] into {file_of(n)}.", "dependencies": [name(need) for need in needs[n]],
             "status": "pending"} for n in range(len(needs))]
    figures.rows(repo, "pending_goals.json", rows)
    figures.commit(repo)
    return repo, log


def settings(model, jobs, checks, stack):
    values = {"llm.base_url": model.url(), "llm.model": "stub", "run.jobs": jobs, "check.jobs": checks, "run.stack": stack,
              "run.max_attempts": MOST_ROUNDS, "check.sandbox": "none", "llm.context": 8000}
    return [part for key, value in values.items() for part in ("--set", f"{key}={value}")]


def fresh(prefix):
    """A home of its own, so that no setting of this machine counts."""
    work = tempfile.mkdtemp(prefix=prefix)
    os.environ.update(HOME=work, XDG_CACHE_HOME=os.path.join(work, "cache"), OPENROUTER_API_KEY="key-of-nobody")
    os.environ.pop("XDG_CONFIG_HOME", None)
    return work


def landed(repo):
    """Returns how often each goal landed on the first-parent line, by number."""
    body = figures.run("git", "log", "--first-parent", "--format=%B", "main", cwd=repo)[2]
    return collections.Counter(int(n) for n in re.findall(r"^Landed: goal-(\d+) ", body, re.M))


def red_commits(repo):
    """Returns the first-parent commits whose code would not be judged green, and how many there are with code of their own."""
    log = figures.run("git", "log", "--first-parent", "-m", "--raw", "--no-abbrev", "--no-renames", "--reverse",
                      "--format=commit %H", "main", "--", "src", cwd=repo)[2]
    blobs = sorted({line.split()[3] for line in log.splitlines() if line.startswith(":")} - {"0" * 40})
    texts = subprocess.run(["git", "cat-file", "--batch"], cwd=repo, input="\n".join(blobs).encode(), stdout=subprocess.PIPE)
    contents, rest = {}, texts.stdout
    for blob in blobs:
        head, rest = rest.split(b"\n", 1)
        size = int(head.split()[2])
        contents[blob], rest = rest[:size].decode(), rest[size + 1:]
    files, red, commits = {}, [], 0

    def judge(commit):
        lines = [line for text in files.values() for line in text.split()]
        if commit and (any("bad" in line for line in lines) or len(set(lines)) < len(lines)):
            red.append(commit)

    commit = None
    for line in log.splitlines():
        if line.startswith("commit "):
            judge(commit)
            commit, commits = line.split()[1], commits + 1
        elif line.startswith(":"):
            fields, path = line.split("\t")
            files.pop(path, None)
            if fields.split()[3] in contents:
                files[path] = contents[fields.split()[3]]
    judge(commit)
    return red, commits


def bound(model, needs, jobs, checks):
    work = [model.work(goal) for goal in range(len(needs))]
    chain = [0.0] * len(needs)
    for goal in range(len(needs)):
        chain[goal] = work[goal][0] + max((chain[need] for need in needs[goal]), default=0)
    return max(max(chain), sum(w for w, _ in work) / jobs, sum(n for _, n in work) * CHECK / checks)


def mean_at_a_time(spans, wall):
    return sum(end - begin for begin, end in spans) / wall


def one(binary, shape, args):
    work = fresh(f"invisigoth-makespan-{shape}-")
    needs = needs_of(shape, args.goals, random.Random(f"w{args.seed}"))
    repo, log = backlog(work, needs, CHECK)
    model = Model(args.seed, args.right, args.conflicts)
    flags = settings(model, args.jobs, args.checks, args.stack)
    figures.run(binary, "-C", repo, *flags, "check")
    os.remove(log)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([binary, "-C", repo, *flags, "run"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    model.close()
    with open(os.path.join(work, "run.log"), "wb") as file:
        file.write(done.stderr + done.stdout)
    with open(log) as file:
        lines = [line.split() for line in file]
    judged = collections.Counter(line[2] for line in lines)
    least = bound(model, needs, args.jobs, args.checks)
    count, twice = landed(repo), sum(n - 1 for n in judged.values())
    red, commits = red_commits(repo)
    asked = sum(model.asked.values())
    print(f"{shape}: {wall:.1f} s, {wall / least:.2f} x bound ({least:.1f} s); {len(lines) / args.goals:.2f} checks a goal, "
          f"{twice} code trees checked again; {asked} model calls, {commits - 1} landings; "
          f"{len(count)} of {args.goals} landed, {sum(count.values()) - len(count)} twice, {len(red)} red")
    if args.verbose:
        calls = [(begin, end) for _, begin, end in model.spans]
        checks = [(float(line[0]), float(line[1])) for line in lines]
        print(f"  {cpu:.1f} s CPU; at a time: {mean_at_a_time(calls, wall):.2f} calls, {mean_at_a_time(checks, wall):.2f} checks; "
              f"{sum(line[3] == 'red' for line in lines)} red checks; kept in {work}")
    else:
        shutil.rmtree(work)
    if done.returncode or len(count) < args.goals or red:
        sys.exit(f"exit {done.returncode}\n{done.stderr.decode()[-2000:]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--shape", choices=SHAPES, help="all where absent")
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--checks", type=int, default=4, help="checks at a time")
    parser.add_argument("--stack", type=int, default=3, help="run.stack")
    parser.add_argument("--goals", type=int, default=100)
    parser.add_argument("--right", type=float, default=1.0, help="how likely a reply is right")
    parser.add_argument("--conflicts", type=float, default=0.0, help="how likely two neighbours do not go together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="say what was in use, and keep the repository")
    args = parser.parse_args()
    for shape in [args.shape] if args.shape else SHAPES:
        one(os.path.abspath(args.binary), shape, args)


if __name__ == "__main__":
    main()
