#!/bin/sh
# What the operator did by hand before Changeover came: the guide's deployment, in place.
# Called with WORKDIR, REPOSITORY, REFERENCE, WHEELS (may be empty) and PYTHON in the environment.
set -eu
if [ ! -d "$WORKDIR/.git" ]; then git clone --quiet "$REPOSITORY" "$WORKDIR"; fi
cd "$WORKDIR"
git fetch --quiet --tags origin
git checkout --quiet --force "$REFERENCE"
"$PYTHON" -m venv venv
if [ -n "$WHEELS" ]; then wheels="--no-index --find-links $WHEELS"; else wheels=; fi
# shellcheck disable=SC2086
venv/bin/pip install --quiet --disable-pip-version-check $wheels -r requirements.txt
cd client
npm ci --no-audit --no-fund --loglevel=error
npm run --silent build
cd ..
venv/bin/alembic --raiseerr upgrade head
