#!/usr/bin/env python3
"""Several clones share one backlog through one remote while runs are killed: is each goal landed exactly once?

    benches/crowd.py [--clones 4] [--goals 20] [--transport file|http] [--kills 6] [--seed 1] [--binary PATH]

Starts a counting stub of a model, a bare remote (a folder, or `git http-backend` behind a small CGI front) and, in each
clone, `run --remote origin` again and again until all goals have landed. Some runs are killed (SIGKILL) at random moments.
Prints one line of JSON and exits with 1 where a goal is missing or landed twice, a record is missing, a repository is
unsound, or more was asked than goals and kills explain. Standard library and git only.
"""
import argparse, collections, json, os, random, re, shutil, signal, subprocess, sys, tempfile, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

parser = argparse.ArgumentParser()
parser.add_argument("--clones", type=int, default=4)
parser.add_argument("--goals", type=int, default=20)
parser.add_argument("--transport", choices=("file", "http"), default="file")
parser.add_argument("--kills", type=int, default=6)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--binary", default="target/debug/git-invisigoth")
parser.add_argument("--minutes", type=float, default=20)
parser.add_argument("--keep", action="store_true", help="leave the folder")
args = parser.parse_args()
binary = os.path.abspath(args.binary)
root = tempfile.mkdtemp(prefix="crowd-")
chance = random.Random(args.seed)


def env(clone):
    home = os.path.join(root, "home-" + clone)
    os.makedirs(home, exist_ok=True)
    return {
        "PATH": os.environ["PATH"], "HOME": home, "LC_ALL": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0", "OPENROUTER_API_KEY": "sk-none-000000",
    }


def git(clone, *words, at=None, may_fail=False):
    ran = subprocess.run(("git", *words), cwd=at or os.path.join(root, clone), env=env(clone),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if ran.returncode and not may_fail:
        raise SystemExit(f"git {' '.join(words)} in {clone}: {ran.stderr}")
    return ran.stdout.strip()


def serve(handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


asked = collections.Counter()


class Model(BaseHTTPRequestHandler):
    """Answers each goal with one file of its name."""

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        goal = re.findall(r"Make (g\d+)", body)[-1]
        asked[goal] += 1
        reply = f"File: {goal}.txt\n````text\n{goal}\n````\n"
        answer = json.dumps({
            "id": "1", "model": "stub",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": reply}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.0},
        }).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        try:
            self.wfile.write(answer)
        except OSError:
            pass


class Host(BaseHTTPRequestHandler):
    """Puts `git http-backend` behind HTTP."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().strip() or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def answer(self):
        path, _, query = self.path.partition("?")
        cgi = dict(env("host"), GIT_PROJECT_ROOT=root, GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path, QUERY_STRING=query,
                   REQUEST_METHOD=self.command, CONTENT_TYPE=self.headers.get("Content-Type", ""),
                   REMOTE_USER="crowd", REMOTE_ADDR="127.0.0.1", GIT_PROTOCOL=self.headers.get("Git-Protocol", ""),
                   HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""))
        body = self.body()
        cgi["CONTENT_LENGTH"] = str(len(body))
        out = subprocess.run(("git", "http-backend"), env=cgi, input=body, stdout=subprocess.PIPE).stdout
        head, _, rest = out.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line]
        status = next((int(value.split()[0]) for name, value in fields if name.lower() == "status"), 200)
        try:
            self.send_response(status)
            for name, value in fields:
                if name.lower() != "status":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            self.wfile.write(rest)
        except OSError:
            pass

    do_GET = do_POST = answer


def invisigoth(clone, *words):
    return subprocess.run((binary, *words), cwd=os.path.join(root, clone), env=env(clone), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)


def configure(clone, model):
    for key, value in (
        ("user.name", clone), ("user.email", clone + "@example.org"), ("gc.auto", "0"),
        ("invisigoth.llm.provider", "openrouter"), ("invisigoth.llm.base-url", model + "/v1"),
        ("invisigoth.llm.model", "stub"), ("invisigoth.check.sandbox", "none"),
    ):
        git(clone, "config", key, value)


def set_up(model):
    os.makedirs(os.path.join(root, "seed"))
    git("seed", "init", "-q", "-b", "main")
    configure("seed", model)
    with open(os.path.join(root, "seed", "invisigoth.toml"), "w") as file:
        file.write('[check]\ntest = ["sh check.sh"]\n')
    with open(os.path.join(root, "seed", "check.sh"), "w") as file:
        file.write("[ ! -e bad ]\n")
    git("seed", "add", "-A")
    git("seed", "commit", "-qm", "start")
    ran = invisigoth("seed", "init", "--yes")
    assert ran.returncode == 0, ran.stderr
    for nth in range(args.goals):
        words = ["add", "--id", f"g{nth:03}", f"Make g{nth:03}"]
        if nth % 5 == 4:
            words += ["--needs", f"g{nth - 1:03}"]
        ran = invisigoth("seed", *words)
        assert ran.returncode == 0, ran.stderr
    git("seed", "add", "-A")
    git("seed", "commit", "-qm", "goals", "--allow-empty")
    git("seed", "init", "-q", "--bare", "-b", "main", os.path.join(root, "there.git"))
    git("seed", "config", "http.receivepack", "true", at=os.path.join(root, "there.git"))
    git("seed", "push", "-q", os.path.join(root, "there.git"), "main")
    where = os.path.join(root, "there.git") if args.transport == "file" else serve(Host) + "/there.git"
    for nth in range(args.clones):
        git("seed", "clone", "-q", where, os.path.join(root, f"clone{nth}"))
        configure(f"clone{nth}", model)


def there(*words):
    return git("seed", *words, at=os.path.join(root, "there.git"))


def landed(tip="main"):
    trailers = there("log", "--first-parent", "--format=%(trailers:key=Landed,valueonly)", tip)
    return collections.Counter(line.split()[0] for line in trailers.splitlines() if line.strip())


over = threading.Event()
live = {}
ends = collections.Counter()
trouble = []


def work(nth):
    while not over.is_set():
        process = subprocess.Popen((binary, "run", "--remote", "origin"), cwd=os.path.join(root, f"clone{nth}"),
                                   env=env(f"clone{nth}"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   stdin=subprocess.DEVNULL, text=True)
        live[nth] = process
        said = process.communicate()[1]
        ends[process.returncode] += 1
        if process.returncode not in (0, 3, -signal.SIGKILL):
            trouble.append(f"clone{nth} ended with {process.returncode}: {said.strip().splitlines()[-3:]}")
        over.wait(0.2)


began = time.monotonic()
set_up(serve(Model))
ready = time.monotonic()
threads = [threading.Thread(target=work, args=(nth,)) for nth in range(args.clones)]
for thread in threads:
    thread.start()
killed, next_kill = 0, time.monotonic() + 2
while len(landed()) < args.goals and time.monotonic() - ready < args.minutes * 60:
    time.sleep(0.2)
    if killed < args.kills and time.monotonic() > next_kill:
        process = live.get(chance.randrange(args.clones))
        if process and process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        next_kill = time.monotonic() + chance.uniform(0.5, 4)
took = time.monotonic() - ready
over.set()
for thread in threads:
    thread.join()
for nth in range(args.clones):
    ran = invisigoth(f"clone{nth}", "sync")
    if ran.returncode:
        trouble.append(f"sync in clone{nth} ended with {ran.returncode}: {ran.stderr.strip()}")
goals = landed()
noted = there("grep", "-h", "-o", r'"goal":"[^"]*"', "refs/notes/invisigoth") if goals else ""
noted = {line.split('"')[3] for line in noted.splitlines()}
unsound = [name for name in ["there.git"] + [f"clone{nth}" for nth in range(args.clones)]
           if subprocess.run(("git", "fsck", "--strict"), cwd=os.path.join(root, name), env=env("seed"),
                             capture_output=True).returncode]
tips = {git(f"clone{nth}", "rev-parse", "main") for nth in range(args.clones)} | {there("rev-parse", "main")}
calls = sum(asked.values())
told = {
    "clones": args.clones, "goals": args.goals, "transport": args.transport, "kills": killed,
    "seconds": round(took, 1), "landed": len(goals), "missing": args.goals - len(goals),
    "twice": sorted(goal for goal, times in goals.items() if times > 1),
    "records": len(noted), "calls": calls, "most_calls": args.goals + killed,
    "tips": len(tips), "claims_left": len(there("for-each-ref", "refs/invisigoth/claims").splitlines()),
    "unsound": unsound, "ends": {str(code): times for code, times in sorted(ends.items())}, "trouble": trouble[:5],
}
print(json.dumps(told))
good = (not told["missing"] and not told["twice"] and len(noted) == args.goals and calls <= args.goals + killed
        and not unsound and len(tips) == 1 and not trouble)
if not args.keep:
    shutil.rmtree(root, ignore_errors=True)
else:
    print(root, file=sys.stderr)
sys.exit(0 if good else 1)
