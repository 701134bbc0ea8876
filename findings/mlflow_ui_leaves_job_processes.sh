#!/usr/bin/env bash
# mlflow 3.17.2: `mlflow ui` over a SQLite file starts seven more processes for jobs that nobody asked
# for, each with all of MLflow imported, and when it is ended by SIGTERM they go on without it.
# With MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false there are none. Fails if either changes.
set -euo pipefail
work=$(mktemp -d)
finish() {
  pkill -KILL -f "$work/venv" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet --quiet --disable-pip-version-check "mlflow==3.17.2"
cd "$work"
export MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=1 PATH="$work/venv/bin:$PATH"
cat > ask.py <<'PY'
import socket, sys, time, urllib.error, urllib.request

def free():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        print(probe.getsockname()[1])

def ready(base):
    for _ in range(600):
        try:
            urllib.request.urlopen(base + "/health", timeout=2)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    sys.exit("not ready: " + base)

globals()[sys.argv[1]](*sys.argv[2:])
PY
jobs_left() { # of what is started below, those that run jobs
  pgrep -fc "$work/venv.*huey_consumer" || true
}
round() { # whether jobs are enabled: how many processes for jobs before and after the end
  local port server before
  port=$(python ask.py free)
  MLFLOW_SERVER_ENABLE_JOB_EXECUTION=$1 mlflow ui --port "$port" --workers 1 \
    --backend-store-uri "sqlite:///$work/$1.db" >> "$work/log" 2>&1 &
  server=$!
  python ask.py ready "http://127.0.0.1:$port"
  sleep 15
  before=$(jobs_left)
  kill "$server"
  wait "$server" || true
  sleep 15
  seen="$before $(jobs_left)"
  pkill -KILL -f "$work/venv.*huey_consumer" || true
}
round true; asked=$seen
round false; refused=$seen
echo "processes for jobs while the pages are served, and 15 s after they were ended"
echo "as it is: $asked; switched off: $refused"
read -r before after <<< "$asked"
[ "$before" -gt 0 ] && [ "$after" -gt 0 ] || { echo "changed: none, or none left"; exit 1; }
[ "$refused" = "0 0" ] || { echo "changed: switched off, and there all the same"; exit 1; }
echo "as described, mlflow $(python -c 'import importlib.metadata as m; print(m.version("mlflow"))')"
