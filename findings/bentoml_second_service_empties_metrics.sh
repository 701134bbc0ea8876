#!/usr/bin/env bash
# bentoml 1.4.39: two services of one user share one metrics folder, below BENTOML_HOME or the
# user's home, and every `bentoml serve` that starts empties it. The service that was there goes on
# answering, but its /metrics no longer shows what it had counted. With a BENTOML_HOME of its own
# for each service the counts stay. Fails if either changes.
set -euo pipefail
work=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet --quiet --disable-pip-version-check "bentoml==1.4.39"
cd "$work"
export BENTOML_DO_NOT_TRACK=True PATH="$work/venv/bin:$PATH"
cat > service.py <<'PY'
import bentoml

@bentoml.service(workers=1)
class Echo:
    @bentoml.api
    def say(self, word: str) -> str:
        return word
PY
cat > ask.py <<'PY'
import json, socket, sys, time, urllib.error, urllib.request

def free():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        print(probe.getsockname()[1])

def ready(base):
    for _ in range(300):
        try:
            urllib.request.urlopen(base + "/readyz", timeout=2)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    sys.exit("not ready: " + base)

def say(base):
    body = json.dumps({"word": "a"}).encode()
    head = {"content-type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(base + "/say", body, head), timeout=10).read()

def counted(base):
    text = urllib.request.urlopen(base + "/metrics", timeout=10).read().decode()
    rows = [row for row in text.splitlines() if row.startswith("bentoml_service_request_total")]
    print(int(sum(float(row.split()[-1]) for row in rows if 'endpoint="/say"' in row)))

globals()[sys.argv[1]](*sys.argv[2:])
PY
start() { # home port
  mkdir -p "$1"
  BENTOML_HOME="$1" bentoml serve service:Echo --host 127.0.0.1 --port "$2" >> "$work/log" 2>&1 &
  pids+=($!)
  python ask.py ready "http://127.0.0.1:$2"
}
round() { # home of the first, home of the second: counted requests to /say before and after
  local one two before after
  one=$(python ask.py free); start "$1" "$one"
  for _ in 1 2 3; do python ask.py say "http://127.0.0.1:$one"; done
  before=$(python ask.py counted "http://127.0.0.1:$one")
  two=$(python ask.py free); start "$2" "$two"
  after=$(python ask.py counted "http://127.0.0.1:$one")
  seen="$before $after"
}
round "$work/shared" "$work/shared"; shared=$seen
round "$work/one" "$work/other"; apart=$seen
echo "requests to /say that /metrics of the first service shows, before and after a second started"
echo "one folder: $shared; a folder each: $apart"
read -r before after <<< "$shared"
[ "$before" -eq 3 ] && [ "$after" -eq 0 ] || { echo "changed: one folder keeps its counts"; exit 1; }
read -r before after <<< "$apart"
[ "$before" -eq 3 ] && [ "$after" -eq "$before" ] || { echo "changed: folders apart"; exit 1; }
echo "as described, bentoml $(python -c 'import importlib.metadata as m; print(m.version("bentoml"))')"
