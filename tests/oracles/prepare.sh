#!/usr/bin/env bash
# Installs into target/oracles the JOSE libraries our verifier is compared with: npm's `jose`, and PyJWT and joserfc in a
# virtual environment; OAuth clients of others, `openid-client`, `oauth4webapi` and Authlib; schemathesis, which makes requests of our
# OpenAPI document; npm's `axe-core`, which judges our pages; and what the examples stand on, Express and Starlette. Does nothing when
# they are there already. Needs node, npm and python3 with venv.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
target="${CARGO_TARGET_DIR:-$here/../../target}/oracles"

for program in node npm python3; do
    command -v "$program" >/dev/null || {
        echo "oracles: $program is missing (Debian packages: nodejs npm python3 python3-venv)" >&2
        exit 1
    }
done

# Whatever decides what gets installed: when none of it has changed, there is nothing to do.
wanted="$(cat "$here"/{prepare.sh,package.json,package-lock.json,requirements.txt} <(node --version) <(python3 --version) | sha256sum)"
if [ "$(cat "$target/installed" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi

mkdir -p "$target"
exec 9>"$target/lock"
flock 9
rm -rf "$target/installed" "$target/node" "$target/python"

mkdir "$target/node"
cp "$here"/{package.json,package-lock.json,.npmrc} "$target/node/"
(cd "$target/node" && npm ci --ignore-scripts --loglevel=error)

python3 -m venv "$target/python"
"$target/python/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$here/requirements.txt"

echo "$wanted" >"$target/installed"
