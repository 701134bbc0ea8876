#!/usr/bin/env bash
# feast 0.67.0: get_historical_features without an entity frame and without end_date ends at the
# machine's wall clock taken for UTC: `datetime.now()` has no zone, and the stores read such a time
# as UTC. West of Greenwich the newest hours are missing; east of it rows that have not happened yet
# are there, which is a look into the future. With end_date given in UTC neither is so. By Feast's
# own file store, offline. Fails if either changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet --quiet --disable-pip-version-check "feast==0.67.0"
cd "$work"
cat > ask.py <<'PY'
import tempfile, warnings
from datetime import datetime, timedelta, timezone
import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.repo_config import RegistryConfig
from feast.types import Int64

warnings.simplefilter("ignore")
now = datetime.now(timezone.utc)
folder = tempfile.mkdtemp(dir=".")
times = [now + timedelta(hours=hours) for hours in (-24, -1, 1)]
rows = {"driver": [1, 2, 3], "event_timestamp": times, "hours": [-24, -1, 1]}
pd.DataFrame(rows).to_parquet(f"{folder}/rows.parquet")
store = FeatureStore(config=RepoConfig(
    project="p", provider="local", registry=RegistryConfig(path=f"{folder}/registry.db"),
    online_store=None, entity_key_serialization_version=3))
driver = Entity(name="driver", join_keys=["driver"], value_type=ValueType.INT64)
fields = [Field(name="driver", dtype=Int64), Field(name="hours", dtype=Int64)]
source = FileSource(path=f"{folder}/rows.parquet", timestamp_field="event_timestamp")
store.apply([driver, FeatureView(name="v", entities=[driver], ttl=timedelta(days=7),
                                 schema=fields, source=source)])
for period in ({}, {"end_date": now}):
    found = store.get_historical_features(None, ["v:hours"], **period).to_df()
    print(*sorted(found["hours"].astype(int)), sep=",")
PY
seen() { TZ="$1" FEAST_USAGE=False "$work/venv/bin/python" -W ignore ask.py 2>/dev/null | tr '\n' ' '; }
utc=$(seen UTC); west=$(seen America/New_York); east=$(seen Asia/Kolkata)
echo "hours from now of the rows seen: without end_date, then with end_date=now in UTC"
echo "UTC: $utc| New York: $west| Kolkata: $east"
[ "$utc" = "-24,-1 -24,-1 " ] || { echo "changed: in UTC"; exit 1; }
[ "$west" = "-24 -24,-1 " ] || { echo "changed: New York sees its last hours"; exit 1; }
[ "$east" = "-24,-1,1 -24,-1 " ] || { echo "changed: Kolkata sees no hour to come"; exit 1; }
echo "as described, feast 0.67.0"
