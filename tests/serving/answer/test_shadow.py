"""Which version answers beside the one that serves, and what it says of the very same row."""

import json
import math

import pandas as pd
import pytest

from feature_repo.features.definition_hash import definition_hash
from forecasters.document import Artifact
from home.layout import standby_models
from home.served_model import write_checked
from market.errors import DamagedFile
from serving.answer.open_home import open_home
from serving.answer.shadow import rival_of
from serving.reading.configuration import Configuration
from serving.reading.refusal import NullFeatures, Refusal

AS_OF = pd.Timestamp("2025-06-30 20:30", tz="UTC")
CONFIGURATION = Configuration(
    as_of=AS_OF.isoformat(), origin="recorded", feature_store="data/feast/feature_store.yaml"
)
REFUTED = {
    "proven": False, "standing": "refuted", "improvement": -0.3, "interval": [-0.5, -0.1],
    "verdict": "refuted",
}  # fmt: skip


@pytest.fixture
def version(documents):
    """A version of the direction of SPY."""

    def made(number: int, **changes: object) -> dict:
        return documents["direction"](
            definition_hash=definition_hash(), version=number, run_id=f"run{number}", **changes
        )

    return made


def test_the_newest_other_version_is_the_rival(version, documents):
    one, two, three = (Artifact.model_validate(version(number)) for number in (1, 2, 3))
    refuted = version(9, evidence=documents["direction"]()["evidence"] | REFUTED)
    standby = [two, one, three, Artifact.model_validate(refuted)]
    assert rival_of(three, standby) == two
    assert rival_of(one, standby) == three
    assert rival_of(one, [one]) is None
    again = Artifact.model_validate(version(1) | {"run_id": "of a registry that began anew"})
    assert rival_of(one, [again]) == again


def test_one_that_is_damaged_may_be_the_rival(version):
    one, two = (Artifact.model_validate(version(number)) for number in (1, 2))
    with pytest.raises(DamagedFile, match="of no use"):
        rival_of(one, [two, DamagedFile("4.json is of no use")])


@pytest.fixture
def home(feast_home, documents, write, version):
    """A home in which version 3 of the direction and version 2 of the regime serve."""
    feast_home.put()
    feast_home.publish(definition_hash=definition_hash())
    write(feast_home.models, version(3))
    write(feast_home.models, documents["regime"](definition_hash=definition_hash()))
    return feast_home


def stand_by(home, document) -> None:
    path = standby_models(home.models, document["name"]) / f"{document['version']}.json"
    write_checked(path, json.dumps(document).encode())


@pytest.mark.integration
def test_a_shadow_is_what_the_rival_says_of_the_same_row(home, version, values, exact):
    opened = open_home(home.root, CONFIGURATION)
    alone = opened.signal_for("SPY", AS_OF)
    assert opened.shadow_for(alone, AS_OF) is None
    stand_by(home, version(3))
    rival = version(4, features=["hv_20", "iv_rank", "vix_close"], alias="challenger")
    stand_by(home, rival)
    given = opened.signal_for("SPY", AS_OF)
    assert given == alone, "what stands by changes nothing that is given"
    shadow = opened.shadow_for(given, AS_OF)
    direction, regime = shadow.provenance.models.direction, shadow.provenance.models.regime
    assert (direction.version, direction.alias) == (4, "challenger")
    assert direction.note == "shadow of version 3 (logistic), which answered"
    assert regime == given.provenance.models.regime
    assert shadow.prediction.probability == pytest.approx(exact(rival, values), abs=1e-12)
    for name in ("session", "iv_context", "volatility"):
        assert getattr(shadow, name) == getattr(given, name)
    assert shadow.provenance.as_of == given.provenance.as_of


@pytest.mark.integration
def test_a_rival_that_reads_a_null_says_which_and_takes_no_signal_away(home, version):
    stand_by(home, version(4, features=["returns_5d", "iv_rank", "unemployment_rate"]))
    home.put(unemployment_rate=math.nan)
    opened = open_home(home.root, CONFIGURATION)
    given = opened.signal_for("SPY", AS_OF)
    with pytest.raises(NullFeatures, match="unemployment_rate"):
        opened.shadow_for(given, AS_OF)
    assert opened.signal_for("SPY", AS_OF) == given


@pytest.mark.integration
def test_a_damaged_rival_is_named(home, version):
    stand_by(home, version(4))
    path = standby_models(home.models, "direction_SPY") / "4.json"
    opened = open_home(home.root, CONFIGURATION)
    given = opened.signal_for("SPY", AS_OF)
    for content in (path.read_bytes()[:-9], path.read_bytes().replace(b"0.45", b"0.46")):
        path.write_bytes(content)
        with pytest.raises(DamagedFile, match=r"4.json is damaged: .*optrade repair"):
            opened.shadow_for(given, AS_OF)


@pytest.mark.integration
def test_a_home_that_moved_on_gives_no_shadow(home, version, write):
    stand_by(home, version(4))
    opened = open_home(home.root, CONFIGURATION)
    given = opened.signal_for("SPY", AS_OF)
    home.put(iv_rank=19.0)
    with pytest.raises(Refusal, match="changed since the signal was given"):
        opened.shadow_for(given, AS_OF)
    home.put()
    assert opened.shadow_for(given, AS_OF) is not None
    write(home.models, version(5))
    with pytest.raises(Refusal, match="changed since the signal was given"):
        opened.shadow_for(given, AS_OF)
