#!/usr/bin/env python3
"""A night at 100 times its speed, on a real repository, with everything that goes wrong in one: what is left in the morning?

    benches/night.py [--repository .] [--goals 32] [--minutes 4] [--binary PATH] [--llmock PATH] [--faketime LIB] [--keep DIR]

A clone of the repository gets a backlog with dependencies, and `run --until` works at it as a service would have it: what
ends with an error is started again, what ends with 5, 6, 7 or 9 is not. One minute here stands for 100 of a night: spans
that a server asks for, cuts, and restarts are a hundredth of what they are there.

The model is `llmock` (`tests/peer/install.sh`), which knows goals by the name of the model that each asks for. It refuses
(429 with Retry-After, 500, 503), ends streams early, drops connections, sends pieces that are no JSON, replies without an
edit and with one that no check passes. A gate before it passes bytes on as they are, counts them, and names the prices.

Besides, in this order: a cap on the day is reached, and raised while the run waits; a reboot, which is SIGKILL of all that
runs; a full disk, which is a tmpfs in a mount namespace of the script's own (`unshare -m`, root); a clock that is set back
by an hour, by libfaketime (Debian: `apt-get download libfaketime`, `dpkg -x`). What of these cannot be had here is named
in `missed`, and the night then counts as no proof.

Prints what `report` says in the morning, then one line of JSON; exits with 1 where anything in `wrong` or `missed` is said.
Standard library and git only.
"""
import argparse, collections, fcntl, glob, json, os, random, re, shutil, signal, socket, subprocess, sys, tempfile, threading, time
import datetime, urllib.request

parser = argparse.ArgumentParser()
parser.add_argument("--repository", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
parser.add_argument("--goals", type=int, default=32)
parser.add_argument("--minutes", type=float, default=4)
parser.add_argument("--jobs", type=int, default=2)
parser.add_argument("--binary", default="target/debug/git-invisigoth")
parser.add_argument("--llmock", default="target/peers/bin/llmock")
parser.add_argument("--faketime", default=next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), ""))
parser.add_argument("--first-usd", type=float, default=0.25, help="the day's cap until it is reached")
parser.add_argument("--max-usd", type=float, default=3.0, help="and from then on")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--keep", help="a folder that gets the repository as it is in the morning")
parser.add_argument("--inside", help=argparse.SUPPRESS)
parser.add_argument("--own-mounts", action="store_true", help=argparse.SUPPRESS)
args = parser.parse_args()
BINARY, LLMOCK, MEGABYTES = os.path.abspath(args.binary), os.path.abspath(args.llmock), 1024
DOLLARS = (1e-6, 4e-6)  # for a token of a prompt, of a reply
KEY = "sk-night-0a1b2c3d4e5f"
wrong, missed = [], []

if not args.inside:
    # The script again, where a disk can be full without being anybody's.
    folder = tempfile.mkdtemp(prefix="night-")
    words = [sys.executable, os.path.abspath(__file__), *sys.argv[1:], "--inside", folder]
    apart = ["unshare", "-m", "--propagation", "private"]
    try:
        if subprocess.run(apart + ["true"], capture_output=True).returncode == 0:
            words = apart + words + ["--own-mounts"]
        code = subprocess.run(words).returncode
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code)

root = args.inside
HAS_DISK = args.own_mounts and all(
    subprocess.run(("mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "night", place), capture_output=True).returncode == 0
    # What libfaketime leaves of killed processes in /dev/shm goes with the namespace.
    for place in (root, "/dev/shm")
)
HAS_CLOCK = os.path.isfile(args.faketime)
repo, home, clock = (os.path.join(root, name) for name in ("repo", "home", "clock"))
os.makedirs(home)


def env(faked=False):
    plain = {"PATH": os.environ["PATH"], "HOME": home, "LC_ALL": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1", "TZ": "UTC",
             "GIT_TERMINAL_PROMPT": "0", "OPENROUTER_API_KEY": KEY}
    if faked and HAS_CLOCK:
        plain |= {"LD_PRELOAD": os.path.abspath(args.faketime), "FAKETIME_TIMESTAMP_FILE": clock, "NO_FAKE_STAT": "1",
                  "FAKETIME_CACHE_DURATION": "1", "DONT_FAKE_MONOTONIC": "1"}
    return plain


def git(*words, at=None, may_fail=False):
    ran = subprocess.run(("git", *words), cwd=at or repo, env=env(), capture_output=True, text=True)
    if ran.returncode and not may_fail:
        raise SystemExit(f"git {' '.join(words)}: {ran.stderr}")
    return ran.stdout.strip()


def invisigoth(*words):
    return subprocess.run((BINARY, *words), cwd=repo, env=env(True), capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)


def set_clock(seconds):
    with open(clock, "w") as file:
        file.write(f"{seconds:+d}\n")


# The backlog: what is wrong with the answers for a goal, by its number.

def reply(path, text):
    return f"File: {path}\n````text\n{text}\n````\n"


def fail(status, times=1, **more):
    return {"type": "fail", "status": status, "times": times, **more}


def stream(kind):
    return {"type": "stream_fault", "kind": kind, "after_chunks": 4}


TROUBLES = [
    ("plain", []),
    ("limited", [fail(429, retry_after=2)]),
    ("broken", [fail(500)]),
    ("truncated", [stream("truncate")]),
    ("no-edit", [{"type": "reply", "text": "I would rather not."}]),
    ("disconnected", [stream("disconnect")]),
    ("red", [{"type": "reply", "text": reply("night/bad", "x")}]),
    ("malformed", [stream("malformed")]),
    ("outage", [fail(503, times=6, retry_after=1)]),
    ("plain", []),
]
CHECK = """[ ! -e night/bad ] || { echo 'night/bad is there'; exit 1; }
for file in night/g*.txt; do
  [ -e "$file" ] || continue
  read -r name needs <"$file"
  [ "night/$name.txt" = "$file" ] || { echo "$file says $name"; exit 1; }
  for need in $needs; do [ -e "night/$need.txt" ] || { echo "$name lacks $need"; exit 1; }; done
done
"""


def backlog():
    """Returns rows, what llmock is told, and what becomes of goals: `landed`, `failed`, `blocked` or `held`."""
    chance, rows, told, ends = random.Random(args.seed), [], [], {}
    for nth in range(args.goals):
        name, (trouble, faults) = f"g{nth:02}", TROUBLES[nth % len(TROUBLES)]
        earlier = [f"g{before:02}" for before in range(nth) if ends[f"g{before:02}"] == "landed"]
        needs = sorted(chance.sample(earlier, min(len(earlier), chance.choice((0, 0, 1, 1, 2)))))
        ends[name] = "landed"
        good = " ".join([name, *needs])
        answers = [{"type": "reply", "text": reply(f"night/{name}.txt", good), "times": None}]
        if nth % 16 == 11:
            trouble, faults, ends[name] = "never", [], "failed"
            answers = [{"type": "reply", "text": "I would rather not.", "times": None}]
        elif nth % 16 == 12:
            trouble, faults, needs, ends[name] = "blocked", [], [f"g{nth - 1:02}"], "blocked"
        elif nth % 16 == 13:
            trouble, faults, ends[name] = "held", [], "held"
            answers = [{"type": "reply", "text": reply("Makefile", f"all: {name}"), "times": None}]
        elif trouble == "red":
            answers[0]["text"] = "DELETE night/bad\n\n" + answers[0]["text"]
        for behavior in faults + answers:
            told.append(behavior | {"match": {"model": f"night-{name}"}})
        rows.append({"id": name, "description": f"Write night/{name}.txt ({trouble})", "filename": f"night/{name}.txt",
                     "prompt": f"Write one line into night/{name}.txt: the goal's id, then the ids of what it needs.",
                     "dependencies": needs, "status": "pending", "model": f"night-{name}"})
    return rows, told, ends


# The gate before llmock: passes bytes on, and counts them.

class Gate:
    def __init__(self, port):
        self.port, self.asked, self.lock = port, [], threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client = self.listener.accept()[0]
            threading.Thread(target=self.one, args=(client,), daemon=True).start()

    def one(self, client):
        with client:
            try:
                self.answer(client, *self.request(client))
            except (OSError, ValueError):
                pass  # A client that went away is its own business.

    def request(self, client):
        data = b""
        while b"\r\n\r\n" not in data:
            data += client.recv(65536) or self.gone()
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        while len(body) < int(length[1] if length else 0):
            body += client.recv(65536) or self.gone()
        return head, body

    def gone(self):
        raise OSError("gone")

    def answer(self, client, head, body):
        if not head.startswith(b"POST "):
            prices = {"prompt": str(DOLLARS[0]), "completion": f"{DOLLARS[1]:f}"}
            models = [{"id": name, "context_length": 64000, "pricing": prices}
                      for name in ["night"] + [f"night-g{nth:02}" for nth in range(args.goals)]]
            said = json.dumps({"data": models}).encode()
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(said) + said)
            return
        seen = {"model": json.loads(body)["model"], "status": 0, "tokens": None, "usd": 0.0, "whole": False}
        with self.lock:
            self.asked.append(seen)
        head = re.sub(rb"(?i)\r\n(connection|accept-encoding):[^\r]*", b"", head) + b"\r\nConnection: close"
        passed = b""
        with socket.create_connection(("127.0.0.1", self.port)) as there:
            there.sendall(head + b"\r\n\r\n" + body)
            try:
                while piece := there.recv(65536):
                    client.sendall(piece)
                    passed += piece
                    seen["status"] = int(passed[9:12] or 0) if len(passed) > 12 else 0
            finally:
                self.count(seen, passed)

    def count(self, seen, passed):
        usage = re.findall(rb'"usage":(\{[^}]*\})', passed)
        if usage:
            took = json.loads(usage[-1])
            seen["tokens"] = took["prompt_tokens"] + took["completion_tokens"]
            seen["usd"] = took["prompt_tokens"] * DOLLARS[0] + took["completion_tokens"] * DOLLARS[1]
        seen["whole"] = b"[DONE]" in passed


def start_llmock():
    server = subprocess.Popen((LLMOCK, "serve", "--host", "127.0.0.1", "--port", "0"), env=env(), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    for line in server.stdout:
        if found := re.search(r"running on http://127\.0\.0\.1:(\d+)", line):
            threading.Thread(target=server.stdout.read, daemon=True).start()
            return server, int(found[1])
    raise SystemExit("llmock does not say where it listens")


def ask_llmock(port, path, body=None):
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/_llmock/{path}", data=data)) as answer:
        return answer.read().decode()


def set_up(url, rows):
    git("clone", "-q", os.path.abspath(args.repository), repo, at=root)
    git("switch", "-q", "-C", "main")
    for key, value in (
        ("user.name", "A Night"), ("user.email", "night@example.org"), ("gc.auto", "0"),
        ("invisigoth.llm.provider", "openrouter"), ("invisigoth.llm.base-url", url), ("invisigoth.llm.model", "night"),
        ("invisigoth.llm.max-tokens", "2000"), ("invisigoth.llm.context", "16000"), ("invisigoth.llm.idle-timeout", "5"),
        ("invisigoth.run.jobs", str(args.jobs)), ("invisigoth.run.idle", "1"),
        ("invisigoth.budget.day-max-usd", str(args.first_usd)), ("invisigoth.budget.max-usd", str(args.max_usd)),
    ):
        git("config", key, value)
    os.makedirs(os.path.join(repo, "night"), exist_ok=True)
    for name, text in (("night/check.sh", CHECK), ("invisigoth.toml", '[check]\ntest = ["sh night/check.sh"]\n')):
        with open(os.path.join(repo, name), "w") as file:
            file.write(text)
    ran = invisigoth("init", "--yes")
    assert ran.returncode == 0, ran.stderr
    with open(os.path.join(repo, "memory/pending_goals.json"), "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    git("add", "-A")
    git("commit", "-qm", "A backlog for a night")
    # What somebody was in the middle of in the evening.
    with open(os.path.join(repo, "README.md"), "a") as file:
        file.write("\nhalf a sentence that\n")
    with open(os.path.join(repo, "mine.txt"), "w") as file:
        file.write("mine\n")


# The service: what runs, and what is done to it.

def below(pid):
    """Returns a process and all that it started, as they are now."""
    parents = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as file:
                parents[int(entry)] = int(file.read().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            pass
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


class Service:
    """Starts the run again as `Restart=on-failure` does, a hundred times as soon."""

    def __init__(self, until):
        self.until, self.process, self.ends, self.said = until, None, [], []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.work)

    def left(self):
        return self.until - time.monotonic()

    def work(self):
        while self.left() > 1:
            end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.left())
            # By the clock on the wall until that one is set back; by the length of the night from then on.
            window = ("--for", f"{int(self.left())}s") if "clock" in events else ("--until", end.strftime("%FT%TZ"))
            self.process = subprocess.Popen((BINARY, "run", *window), cwd=repo, env=env(True), text=True,
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                            start_new_session=True)
            out = []
            reader = threading.Thread(target=lambda: out.append(self.process.stdout.read()))
            reader.start()
            for line in self.process.stderr:
                self.said.append(line)
            reader.join()
            code = self.process.wait()
            self.ends.append(code)
            self.said.append(out[0])
            if code in (5, 6, 7, 9) or (code in (0, 3) and self.left() <= 1):
                break
            if code in (0, 3):
                wrong.append(f"a run ended with {code}, {self.left():.0f} s before its window did")
                break
            if len(self.ends) > 20:
                wrong.append("it was started again and again")
                break
            self.over.wait(0.3)
        self.over.set()

    def reboot(self):
        all_of = below(self.process.pid)
        for how in (signal.SIGSTOP, signal.SIGKILL):
            # All of them stand still before the first dies, as when the power goes.
            for pid in all_of:
                try:
                    os.kill(pid, how)
                except ProcessLookupError:
                    pass

    def has_said(self, words):
        return any(words in line for line in self.said)


def trailers(tip):
    # The repository may have landings of its own.
    log = git("log", "--first-parent", "--format=%(trailers:key=Landed,valueonly)", f"{base}..{tip}", may_fail=True)
    return collections.Counter(line.split()[0] for line in log.splitlines() if line.strip())


def landed():
    beside = git("rev-parse", "-q", "--verify", "refs/invisigoth/landed/main", may_fail=True)
    return trailers(beside or "main")


def fill():
    """Leaves no byte on the disk for a moment."""
    ballast = os.path.join(root, "ballast")
    with open(ballast, "wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                pass
        hit = time.monotonic()
        while time.monotonic() - hit < 3 and not service.over.is_set():
            time.sleep(0.2)
    os.unlink(ballast)


def disturb():
    """Lets happen what happens in a night, each when so many goals have landed, or so much of the night is over."""
    length = args.minutes * 60
    plan = [("reboot", 0.15, 0.30), ("disk", 0.30, 0.50), ("clock", 0.45, 0.70)]
    while not service.over.is_set():
        time.sleep(0.2)
        if "cap" not in events and service.has_said("the budget of this day"):
            ran = invisigoth("budget", "raise", "--day", str(args.max_usd))
            events["cap"] = len(landed())
            if ran.returncode:
                wrong.append(f"the cap was not raised: {ran.stderr.strip()}")
        if not plan:
            continue
        name, share, at_latest = plan[0]
        count, gone = len(landed()), 1 - service.left() / length
        if (count < share * args.goals or "cap" not in events) and gone < at_latest:
            continue
        plan.pop(0)
        if name == "reboot":
            service.reboot()
        elif name == "disk" and HAS_DISK:
            fill()
        elif name == "clock" and HAS_CLOCK:
            set_clock(-3600)
        else:
            continue
        events[name] = count


# The morning.

def checks_again(base):
    """Judges each commit of the target by its own files, without anything of ours."""
    red = []
    for commit in git("rev-list", "--first-parent", f"{base}..main").split():
        with tempfile.TemporaryDirectory(dir=root) as place:
            tar = subprocess.run(("git", "archive", commit, "night", "memory"), cwd=repo, env=env(), capture_output=True)
            subprocess.run(("tar", "x", "-C", place), input=tar.stdout, check=True)
            if subprocess.run(("sh", "night/check.sh"), cwd=place, env=env(), capture_output=True).returncode:
                red.append(commit)
    return red


def must(holds, what):
    if not holds:
        wrong.append(what)


def ledger():
    """Returns tokens of tries whose answer is known, how many stand at their worst, and the dollars of all."""
    opened, known, worst, usd = {}, [], 0, 0.0
    with open(os.path.join(repo, ".git/invisigoth/spending.jsonl")) as file:
        for line in filter(None, map(str.strip, file)):
            row = json.loads(line)
            if "settles" not in row:
                opened[row["id"]] = row
            elif row["calls"]:
                first = opened.pop(row["settles"])
                usd += row["usd"]
                if row["tokens"] == first["tokens"]:
                    worst += 1
                else:
                    known.append(row["tokens"])
            else:
                opened.pop(row["settles"])
    return collections.Counter(known), worst + len(opened), usd + sum(row["usd"] for row in opened.values())


def noted():
    lines = git("notes", "--ref", "invisigoth", "list", may_fail=True).splitlines()
    text = [git("cat-file", "blob", line.split()[0]) for line in lines]
    return [json.loads(row) for all_of in text for row in all_of.splitlines() if row.startswith("{")]


def is_locked(path):
    """Our own lock files stay, and the kernel says who holds them; one of git's is a lock as long as it is there."""
    if os.path.dirname(path) != os.path.join(repo, ".git/invisigoth"):
        return True
    with open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def morning(base, since, gate, ends):
    report = json.loads(invisigoth("--json", "report", "--since", since).stdout)
    goals = trailers("main")
    waits = git("rev-parse", "-q", "--verify", "refs/invisigoth/landed/main", may_fail=True)
    must(not waits, "results wait beside the branch")
    must(max(goals.values(), default=0) == 1, f"landed twice: {[goal for goal, times in goals.items() if times > 1]}")
    lands = {goal for goal, end in ends.items() if end == "landed"}
    must(set(goals) <= lands, f"landed although it could not: {set(goals) - lands}")
    must(set(goals) == lands, f"did not land: {sorted(lands - set(goals))}")
    red = checks_again(base)
    must(not red, f"red commits on the target: {red}")
    # Report = notes = history.
    notes = [row for row in noted() if row["goal"] in ends]
    rows = {row["goal"]: row for row in report["landed"] if row["goal"] in ends}
    must(set(rows) == set(goals) == {row["goal"] for row in notes} and len(notes) == len(goals), "report, notes and history differ")
    for row in notes:
        for key in ("commit", "attempts", "tokens", "cost_usd", "landed_at"):
            must(rows.get(row["goal"], {}).get(key) == row[key], f"{key} of {row['goal']} differs in report and note")
    failed = {row["goal"] for row in report["failed"]}
    must(failed == {goal for goal, end in ends.items() if end == "failed"}, f"failed: {sorted(failed)}")
    held = {row["goal"] for row in report["held"]}
    must(held == {goal for goal, end in ends.items() if end == "held"}, f"held: {sorted(held)}")
    # Report = ledger = server.
    whole = collections.Counter(seen["tokens"] for seen in gate.asked if seen["whole"] and seen["tokens"])
    answered = [seen for seen in gate.asked if seen["status"] == 200]
    known, at_worst, usd = ledger()
    spent = report["spent"]
    must(abs(spent["usd"] - usd) < 1e-9 and spent["calls"] == sum(known.values()) + at_worst, "report and ledger differ")
    must(not known - whole, f"booked, but never answered: {known - whole}")
    lost = sum((whole - known).values())
    must(lost <= at_worst, f"{lost} whole answers are not booked, {at_worst} tries stand at their worst")
    must(spent["calls"] >= len(answered), f"{len(answered)} answers, {spent['calls']} calls in the report")
    must(spent["calls"] <= len(answered) + args.jobs * (len(service.ends) - 1), "more calls than the server saw and kills explain")
    billed = sum(seen["usd"] for seen in gate.asked)
    must(billed <= spent["usd"] + 1e-9, f"the server wants ${billed:.4f}, the report says ${spent['usd']:.4f}")
    must(spent["usd"] <= args.max_usd, "the cap was passed")
    must(report["runs"]["seconds"] > 30 * args.minutes, f"the night lasted {report['runs']['seconds']:.0f} s by the report")
    must(report["runs"]["killed"] == (1 if "reboot" in events else 0), f"{report['runs']['killed']} runs were killed by the report")
    # Nothing is broken, lost or left.
    sound = subprocess.run(("git", "fsck", "--strict"), cwd=repo, env=env(), capture_output=True, text=True)
    must(sound.returncode == 0, f"fsck: {sound.stderr.strip()[:300]}")
    verified = invisigoth("verify", f"{base}..main")
    must(verified.returncode == 0, f"verify: {(verified.stdout + verified.stderr).strip()[:300]}")
    locks = [path for path in glob.glob(os.path.join(repo, ".git/**/*.lock"), recursive=True) if is_locked(path)]
    must(not locks, f"locks: {locks}")
    must(not git("for-each-ref", "refs/invisigoth/claims"), "claims are left")
    must(not git("for-each-ref", "refs/heads/invisigoth") or held, "candidates are left")
    must(git("worktree", "list").count("\n") == 0 and not git("stash", "list"), "a worktree or a stash is left")
    with open(os.path.join(repo, "README.md")) as mine, open(os.path.join(repo, "mine.txt")) as new:
        must(mine.read().endswith("\nhalf a sentence that\n") and new.read() == "mine\n", "the user's files were touched")
    changed = git("status", "--porcelain").splitlines()
    must(sorted(changed) == ["?? mine.txt", "M README.md"] or sorted(map(str.strip, changed)) == ["?? mine.txt", "M README.md"],
         f"git status: {changed}")
    must(not any(KEY in line for line in service.said), "the key was said")
    again = collections.Counter(seen["model"] for seen in answered)
    for goal, end in ends.items():
        must(end != "failed" or again[f"night-{goal}"] <= 3, f"{goal} failed and was asked for {again[f'night-{goal}']} times")
    return {"landed": len(goals), "failed": len(failed), "held": len(held), "asked": len(gate.asked), "answered": len(answered),
            "whole": sum(whole.values()), "calls": spent["calls"], "at_worst": at_worst, "server_usd": round(billed, 4),
            "report_usd": round(spent["usd"], 4), "runs": report["runs"]["count"], "killed": report["runs"]["killed"]}


set_clock(0)
server, port = start_llmock()
try:
    gate = Gate(port)
    rows, told, ends = backlog()
    ask_llmock(port, "scenario", {"behaviors": told})
    set_up(gate.url, rows)
    base, events = git("rev-parse", "main"), {}
    # The clock will be set back by an hour.
    since = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=2)).strftime("%FT%TZ")
    service = Service(time.monotonic() + args.minutes * 60)
    service.thread.start()
    disturb()
    service.thread.join()
    late = -service.left()
    must(late < 30, f"the night was {late:.0f} s too long")
    missed += [name for name in ("cap", "reboot", "disk", "clock") if name not in events]
    try:
        figures = morning(base, since, gate, ends)
    except (KeyError, ValueError, OSError, SystemExit) as error:
        wrong.append(f"the morning cannot be read: {error!r}")
        figures = {}
    verdict = json.loads(ask_llmock(port, "verdict"))
    print(invisigoth("report", "--since", since).stdout)
    print(json.dumps({"goals": args.goals, "minutes": args.minutes, **figures, "events": events, "ends": service.ends,
                      "llmock": "PASS" if verdict["passed"] else verdict.get("findings", "FAIL"),
                      "missed": missed, "wrong": wrong}))
    if wrong or missed:
        print("".join(service.said)[-6000:], file=sys.stderr)
    if args.keep:
        shutil.copytree(root, args.keep, symlinks=True, dirs_exist_ok=True)
finally:
    server.kill()
    server.wait()
sys.exit(1 if wrong or missed else 0)
