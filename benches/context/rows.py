#!/usr/bin/env python3
"""Makes rows for score.py of the history of a git repository: what a commit says is the query, what it changed the answer.

    benches/context/rows.py OWNER/NAME REPOSITORY [--rows 40] >> ROWS.jsonl

REPOSITORY is bare or not, with its history; OWNER/NAME is what rows call it. Taken are commits that are no merge and not a
bot's, change 1–5 files of code (12 files at most) in 2–400 lines, one of them no test and there before, and say in five
words or more what they do; not releases, reverts, comments, style, dependencies, nor a subject that was there before. The history
is cut into as many equal parts as rows are wanted, and of each the commit of the lowest hash is taken: the same history
gives the same rows. A row has the parent, whose files are ranked; three queries, without trailers, links and numbers of issues: the message
(`query_raw`), the message without paths (`query_nopath`), the subject without its prefix (`query_short`); and of each
changed file the old lines of each change, of an insertion the lines beside it.
"""
import argparse
import hashlib
import json
import re
import subprocess
import sys

CODE = set("rs py pyi go ts tsx js jsx mjs cjs vue c h cc cpp cxx hpp hh inl m mm cs fs vb rb rake php sh bash zsh fish ps1 "
           "zsh-theme java kt scala groovy swift lua pl pm ex exs erl hs ml mli clj dart jl nim zig y l jq asm".split())
OTHER = set("md markdown rst txt json yml yaml toml html css scss xml cfg ini lock in cmake gradle".split())
TEST = re.compile(r"(^|/)(tests?|testsuite|__tests__|specs?|testing|testdata|e2e)/|[._-]Tests?(\.[^/]*)?/"
                  r"|(^|/)(test_[^/]*|conftest|[^/]*([._-](tests?|spec)))\.[^/.]+$|[a-z0-9](Test|Tests|TestCase)\.(java|cs|php|kt)$")
BOT = re.compile(r"\bbot\b|dependabot|renovate|greenkeeper|pre-commit|github.?actions", re.I)
DULL = re.compile(r"^\W*(merge|revert|re-?apply|bump|release|prepare|version|v?\d+\.\d|typos?|reformat|format|whitespace|wip|backport"
                  r"|clean ?up|upgrade|(docs?|style|ci|build|chore|lint|readme|changelog|travis|comments?)(\([^)]*\))?!?\b)"
                  r"|\b(typos?|changelog|copyright|code style|coding style|whitespace|spelling|grammar|docstrings?|documentation"
                  r"|readme|release notes|clang-format|rubocop|clippy|rustfmt|gofmt|prettier)\b", re.I)
TRAILER = re.compile(r"^\s*([\w-]+-by|cc|change-id|git-svn-id|closes?|fix(es)?|resolves?|refs?|issue|pr|bug|link|pr-url)\s*:.*$"
                     r"|^\s*\(cherry.picked.*$", re.I | re.M)
LINK = re.compile(r"<?\b(https?|ftp|git|ssh)://[^\s>)\]]+>?|\bwww\.\S+|<?[\w.+-]+@[\w-]+(\.[\w-]+)+>?")
ISSUE = re.compile(r"\(?\b(?:(?:close|fix|resolve)[sd]?|fixes|refs?|see|issues?|pr|pull request|bug)?\s*:?\s*(?:[\w.-]+/[\w.-]+)?"
                   r"(?<!&)(?:gh-|#)\d+\b\)?", re.I)
PREFIX = re.compile(r"^(\[[^\]]{1,30}\]\s*:?\s*)*([\w.@*+$/,|&-]+(\([^)]*\))?!?:\s+)?")
NAME = re.compile(r"[\w.@~*+{}$%-]*(?:/[\w.@~*+{}$%-]+)+/?|[\w.@*+-]*\w\.[A-Za-z][\w-]*|(?<!\S)\.[a-z][\w.-]+|\b[\w.-]+/(?!\w)")


def git(repo, *args):
    done = subprocess.run(["git", "-C", repo, "-c", "core.quotePath=false", *args], capture_output=True)
    if done.returncode:
        sys.exit(f"{repo}: git {args[0]}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode("utf-8", "replace").replace("\r", "")


def ending(path):
    return path.rsplit("/", 1)[-1].partition(".")[2].rsplit(".", 1)[-1].lower()


def history(repo):
    """Yields commit, parents, day, author, message and (added, deleted, old path, new path) of all files; the oldest first."""
    form = "--format=%x01%H%x02%P%x02%cs%x02%an %ae%x02%B%x03"
    log = git(repo, "log", "--no-merges", "--reverse", "--topo-order", "--encoding=UTF-8", "-z", "-M", "--numstat", form, "HEAD")
    for record in log.split("\x01")[1:]:
        head, _, rest = record.partition("\x03")
        fields, files = iter(rest.strip("\0\n").split("\0")), []
        for field in fields:
            counts = field.strip("\n").split("\t")
            if len(counts) == 3:
                old, new = (counts[2], counts[2]) if counts[2] else (next(fields), next(fields))
                files.append((counts[0], counts[1], old, new))
        yield *head.split("\x02"), files


def tidy(text):
    lines = [re.sub(r"(?<=\S)[ \t]{2,}", " ", line).rstrip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip(" \n,;:")[:2000]


def short(message):
    subject = message.split("\n")[0].strip()
    return subject[PREFIX.match(subject).end():].strip() or subject


def without_paths(message, tracked):
    """Takes out what names a file: a tracked path or the end of one, or a word that ends as files do."""
    names = {part for path in tracked for part in (path.rsplit("/", 1)[-1], path.rsplit("/", 1)[-1].rsplit(".", 1)[0])}
    every = "\n".join(f"/{path}/" for path in tracked)

    def replaced(found):
        word = found[0].rstrip(".,;:")
        path = word.strip("/").lstrip("./~")
        is_file = ending(path) in CODE | OTHER or ("/" in word and f"/{path}/" in every) or ("." in word and path in names)
        return " " + found[0][len(word):] if path and is_file else found[0]

    return tidy(NAME.sub(replaced, message))


def changed(repo, parent, commit, old, new):
    """Returns a file's lines and bytes before, and its changed places."""
    lines = git(repo, "cat-file", "blob", f"{parent}:{old}")
    count = lines.count("\n") + (lines[-1:] not in ("", "\n"))
    diff = git(repo, "diff", "-U0", "-M", "--no-color", "--no-ext-diff", "--no-textconv", parent, commit, "--", *{old, new})
    hunks = []
    for first, length in re.findall(r"^@@ -(\d+)(?:,(\d+))? \+", diff, re.M):
        first, length = int(first), int(length or 1)
        hunks.append([first, first + length - 1] if length else [max(first, 1), min(first + 1, count)])
    return {"path": old, "test": bool(TEST.search(old)), "lines": count, "bytes": len(lines.encode()), "hunks": hunks}


def wanted(repo):
    """Yields (commit, parent, day, message, changed files of code) of the commits that rows can be made of."""
    seen = set()
    for commit, parents, day, author, message, files in history(repo):
        text = tidy(ISSUE.sub(" ", LINK.sub("", TRAILER.sub("", message))))
        subject = short(text)
        key = re.sub(r"\W+", " ", subject.lower()).strip()
        code = [file for file in files if ending(file[2]) in CODE]
        lines = sum(int(count) for file in code for count in file[:2] if count != "-")
        dull = key in seen or DULL.search(subject) or DULL.search(message.strip().split("\n")[0]) or BOT.search(author)
        fit = 1 <= len(code) <= 5 and len(files) <= 12 and 2 <= lines <= 400 and not all(TEST.search(file[2]) for file in code)
        seen.add(key)
        if fit and not dull and len(parents.split()) == 1 and len(re.findall(r"\w\S*", subject)) >= 5:
            yield commit, parents, day, text, code


def row(name, repo, commit, parent, day, text, code):
    """Makes a row, or nothing where no file was there before, or too little is said without paths."""
    tracked = git(repo, "ls-tree", "-r", "-z", "--name-only", parent).split("\0")[:-1]
    files = [changed(repo, parent, commit, old, new) for _, _, old, new in sorted(code, key=lambda file: file[2])
             if old in set(tracked)]
    files = [file for file in files if file["hunks"] and file["lines"]]
    nopath = without_paths(text, tracked + [file[3] for file in code])
    if all(file["test"] for file in files) or len(nopath.split("\n")[0].split()) < 4:
        return None
    return {"id": f"{name.split('/')[-1]}-{commit[:10]}", "repo": name, "parent": parent, "commit": commit, "date": day,
            "query_raw": text, "query_nopath": nopath, "query_short": short(text), "files": files}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", metavar="OWNER/NAME")
    parser.add_argument("repository")
    parser.add_argument("--rows", type=int, default=40)
    args = parser.parse_args()
    order = lambda commit: hashlib.sha1(commit.encode()).hexdigest()
    all_wanted = list(wanted(args.repository))
    parts, rows = min(args.rows, len(all_wanted)), []
    for part in range(parts):
        some = all_wanted[part * len(all_wanted) // parts:(part + 1) * len(all_wanted) // parts]
        made = (row(args.name, args.repository, *one) for one in sorted(some, key=lambda one: order(one[0])))
        rows.extend(one for one in [next(filter(None, made), None)] if one)
    for one in sorted(rows, key=lambda one: order(one["commit"])):
        print(json.dumps(one, ensure_ascii=False))
    print(f"{args.name}: {len(rows)} rows of {len(all_wanted)} commits", file=sys.stderr)


if __name__ == "__main__":
    main()
