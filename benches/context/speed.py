#!/usr/bin/env python3
"""Measures what `context` costs, in repositories of a given size that are made of real files.

    benches/context/speed.py BINARY SOURCE... [--files 1000,10000,30000] [--work DIR]
    benches/context/speed.py BINARY --repository DIR [--rev REV]

SOURCES are folders with code, such as checkouts. Their files of code are taken again and again until there are enough; each
time some of their words change, so that no two are the same and there are more words in more files. On top come 400
commits that change three files each and say words of these files. With --repository an own, existing repository is
measured: its index is deleted and made anew.

All times are CPU, user + system of the one process, as the clock means little on a machine with other work; the median
where it says of how many. Figures:

    cold    the first query of all: everything is read, digested and kept
    first   a query by a new process with the index on disk, which is what a command costs
    commit  the same after a commit that changed two files, and how much more that is
    index   bytes on disk, in percent of the text that was digested
    memory  the most that the process held
"""
import argparse
import glob
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import zlib

CODE = {"." + end for end in "rs py go ts js vue c h cc cpp hpp java cs rb php sh".split()}
COMMITS = 400
QUERIES = ("Retry the request after a timeout", "Escape quotes in the parser's output", "Keep the order of fields in maps",
           "Do not read the same file twice", "Tell the line where the number is wrong", "Close the connection when it fails",
           "Ignore case when names are compared", "Return an error for an empty list", "Use less memory while a tree is written")


def ask(binary, repo, query, rev="HEAD"):
    """Returns CPU seconds, and the most memory in MiB."""
    process = subprocess.Popen([binary, "context", "--json", "--rev", rev], cwd=repo, stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    process.stdin.write(query.encode())
    process.stdin.close()
    said = process.stderr.read().decode()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{repo}: {said}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def texts(sources):
    """Reads the files of code, as they come in their folders."""
    found = []
    for source in sources:
        for folder, folders, names in os.walk(source):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = os.path.join(folder, name)
                if os.path.splitext(name)[1] in CODE and os.path.isfile(path) and os.path.getsize(path) < 200_000:
                    with open(path, "rb") as file:
                        found.append((os.path.relpath(path, os.path.dirname(os.path.abspath(source))), file.read()))
    return found or sys.exit("there is no code in the sources")


def varied(text, turn):
    """Changes an eighth of the longer words, each turn others."""
    if not turn:
        return text
    mark = b"Abcdefgh"[turn % 8:turn % 8 + 1] * (1 + turn // 8)
    return re.sub(rb"\b[A-Za-z]{6,}\b", lambda word: word[0] + mark if zlib.crc32(word[0]) % 8 == turn % 8 else word[0], text)


def commit(message, files, ref="refs/heads/main", since=None):
    """Words a commit for `git fast-import`."""
    yield b"commit %s\ncommitter Bench <bench@example.invalid> %d +0000\n" % (ref.encode(), 1_700_000_000 + since[1])
    yield b"data %d\n%s\n" % (len(message), message) + (b"from %s\n" % since[0] if since[0] else b"")
    for path, text in files:
        yield b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(text), text)


def send(repo, parts):
    # Deltas against unrelated files only cost time.
    process = subprocess.Popen(["git", "-C", repo, "-c", "core.compression=1", "fast-import", "--quiet", "--depth=0"],
                               stdin=subprocess.PIPE)
    for part in parts:
        process.stdin.write(part)
    process.stdin.close()
    if process.wait():
        sys.exit("git fast-import failed")


def made(repo, sources, count):
    """Makes a repository of `count` files; returns two of them."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", repo], check=True)
    real = texts(sources)
    files = [(f"part{at // len(real):02}/{real[at % len(real)][0]}", real[at % len(real)][1], at // len(real)) for at in range(count)]

    def history():
        yield from commit(b"Begin", ((path, varied(text, turn)) for path, text, turn in files), since=(b"", 0))
        for number in range(1, COMMITS):
            some = [files[number * step % count] for step in (7919, 104_729, 1_299_709)]
            words = re.findall(rb"[A-Za-z]{4,}", some[0][1])[:400:40]
            changes = [(path, varied(text, turn) + b"\n// %d\n" % number) for path, text, turn in some]
            message = b"Change " + b" ".join(words)
            yield from commit(message, changes, since=(b"", number))

    send(repo, history())
    return [(path, varied(text, turn)) for path, text, turn in files[:2]]


def index(repo):
    """Returns bytes on disk, and bytes of digested text, which segments tell in their headers."""
    common = subprocess.run(["git", "-C", repo, "rev-parse", "--path-format=absolute", "--git-common-dir"], check=True,
                            capture_output=True).stdout.decode().strip()
    paths = glob.glob(os.path.join(common, "invisigoth/index/*"))
    text = 0
    for path in paths:
        with open(path, "rb") as file:
            head = file.read(48)
        if os.path.basename(path).startswith("blobs-"):
            text += struct.unpack_from("<Q", head, 40)[0]
    return os.path.join(common, "invisigoth/index"), sum(map(os.path.getsize, paths)), text


def measure(binary, repo, rev="HEAD"):
    """Prints a row of figures; returns the median of the first queries."""
    shutil.rmtree(index(repo)[0], ignore_errors=True)
    cold, cold_memory = ask(binary, repo, QUERIES[0], rev)
    _, size, text = index(repo)
    runs = [ask(binary, repo, query, rev) for query in QUERIES]
    first = statistics.median(cpu for cpu, _ in runs)
    files = len(subprocess.run(["git", "-C", repo, "ls-tree", "-r", "--name-only", rev], check=True,
                               capture_output=True).stdout.splitlines())
    print(f"{files} files, {text / 1e6:.1f} MB of text: cold {cold:.2f} s, {text / 1e6 / cold:.1f} MB/s a core, {cold_memory:.0f} MiB; "
          f"first {first * 1000:.1f} ms (of {len(runs)}), {max(memory for _, memory in runs):.0f} MiB; "
          f"index {size / 1e6:.1f} MB = {100 * size / text:.1f} %", flush=True)
    return first


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("sources", nargs="*")
    parser.add_argument("--files", default="1000,10000,30000")
    parser.add_argument("--repository")
    parser.add_argument("--rev", default="HEAD")
    parser.add_argument("--work", help="where to work; a fresh temporary folder where absent")
    args = parser.parse_args()
    binary = os.path.abspath(args.binary)
    if args.repository:
        measure(binary, args.repository, args.rev)
        return
    work = tempfile.mkdtemp(prefix="invisigoth-speed-", dir=args.work)
    for count in map(int, args.files.split(",")):
        repo = os.path.join(work, f"{count}.git")
        two = made(repo, args.sources, count)
        first, after = measure(binary, repo), []
        for number in range(5):
            changes = [(path, text + b"\nlast_%d(words)\n" % number) for path, text in two]
            send(repo, commit(b"Change the last words", changes, since=(b"refs/heads/main^0", COMMITS + number)))
            after.append(ask(binary, repo, QUERIES[number])[0])
        more = statistics.median(after)
        print(f"    after a commit {more * 1000:.1f} ms (of {len(after)}), {(more - first) * 1000:+.1f} ms", flush=True)
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
