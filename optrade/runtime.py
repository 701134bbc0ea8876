"""What every command starts from: settings, home, one clock, and the stores they lead to."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from home.layout import Home
from home.manifest import read_manifest
from market.errors import InputError
from optrade.clock import check_forward, newest_session, parse_as_of, resolve_as_of, utc_now
from optrade.logs import configure_logs
from optrade.settings import Settings, load_settings, quiet_libraries

if TYPE_CHECKING:
    from feast import FeatureStore

    from ingestion.lake.simulation import Simulation
    from ingestion.sources.base import Source
    from ingestion.sources.headlines.scores import HeadlineScores
    from ingestion.sources.vendor import LiveOptions


@dataclass(frozen=True)
class OpenedSource:
    """A source, the clock that its data ends at, and the time that its rows land at.

    What a vendor says today lands now, whatever the clock of the command: it was not known before.
    `market` is which market a simulated source gives.
    """

    source: "Source"
    as_of: pd.Timestamp
    end: pd.Timestamp
    landed_at: pd.Timestamp
    market: "Simulation | None" = None


@dataclass(frozen=True)
class Runtime:
    """Settings, home and clock of one command."""

    settings: Settings
    home: Home
    now: pd.Timestamp

    def as_of(self, given: str | None = None) -> pd.Timestamp:
        """Return the clock of the command (see `resolve_as_of`)."""
        return resolve_as_of(self.home, given, self.now)

    def pricing(self, capital: float | None, *, require_edge: bool) -> "Runtime":
        """Return the same with a command's options of pricing, where it gives any."""
        told: dict[str, object] = {} if capital is None else {"capital": capital}
        if require_edge:
            told["require_edge"] = True
        return replace(self, settings=self.settings.model_copy(update=told))

    def landing_time(self, given: str | None = None) -> pd.Timestamp:
        """Return when what a command changes becomes known: now in a live home, else its clock."""
        return self.now if self.home.origin() == "live" else self.as_of(given)

    def tickers(self) -> list[str]:
        """Return the underlyings of which the home holds rows, every one where it holds none."""
        from market.underlyings import UNDERLYINGS

        held = {key for _, key in read_manifest(self.home.data).entries}
        return [ticker for ticker in UNDERLYINGS if ticker in held] or list(UNDERLYINGS)

    def redis_url(self) -> str:
        """Return the online store's URL, starting the home's own server if none is named.

        Raises
        ------
        InputError
            If `REDIS_URL` is malformed.
        ConfigurationError
            If the server that it names does not let us in or is another home's, or there is no
            program of a server.
        StoreUnavailable
            If the server does not answer.
        """
        if self.settings.redis_url is not None:
            from optrade.redis.content import check_named

            url = self.settings.redis_url.get_secret_value()
            check_named(url, self.home.data)
            return url
        from optrade.redis import server as redis_server

        return redis_server.start(self.home.data).url

    def feature_store(self, *, online: bool = True) -> "FeatureStore":
        """Return Feast's store over this home; without `online` no Redis is started."""
        from feast import FeatureStore

        from feature_repo.store.repo_config import repo_config
        from ingestion.online.feast_registry import mend

        mend(self.home.data)
        return FeatureStore(
            config=repo_config(self.home.data, self.redis_url() if online else None)
        )

    def source(
        self,
        name: str | None,
        recorded_dir: Path | None,
        seed: int | None,
        signal_strength: float | None,
        as_of: str | None,
    ) -> OpenedSource:
        """Open a source by its word, with the clock it brings; what is None is what the home holds.

        Raises
        ------
        InputError
            If the word is unknown, an option does not belong to the source, or nothing has
            landed that would say what None is, or the clock is before what has landed.
        """
        from ingestion.lake.simulation import chosen
        from ingestion.sources.registry import open_source
        from market.calendar import decision_time, last_complete_session

        name = self.home.origin() if name is None else name
        if recorded_dir is not None and name != "recorded":
            raise InputError(f"--recorded-dir goes with --source recorded, got --source {name:.20}")
        clock, market = self.now if as_of is None else parse_as_of(as_of), None
        if as_of is not None:
            check_forward(self.home, as_of, last_complete_session(clock))
        if name == "recorded":
            if recorded_dir is None:
                raise InputError(
                    "recorded data needs --recorded-dir, the folder of CSV files it is read from"
                )
            source = open_source(name, folder=recorded_dir, scorer=self._scorer())
            if as_of is None:
                clock = decision_time(pd.DatetimeIndex([source.last_session()]))[0]
        elif name == "simulated":
            if as_of is None:
                clock = self._simulated_clock()
            market = chosen(self.home.data, seed, signal_strength)
            source = open_source(
                name,
                seed=market.seed,
                signal_strength=market.signal_strength,
                as_of=clock,
                scorer=self._scorer(),
            )
        else:
            source = open_source(name, options=self.live_options())
        landed_at = self.now if source.origin == "live" else clock
        return OpenedSource(source, clock, last_complete_session(clock), landed_at, market)

    def _simulated_clock(self) -> pd.Timestamp:
        """Return the decision time of the home's last session: it does not age.

        That of a home without data is of the last complete session.
        """
        from market.calendar import decision_time, last_complete_session

        newest = newest_session(self.home)
        last = last_complete_session(self.now) if newest is None else newest
        return decision_time(pd.DatetimeIndex([last]))[0]

    def _scorer(self) -> "HeadlineScores":
        from ingestion.sources.headlines.scores import open_scorer

        return open_scorer(self.settings.headline_scorer)

    def live_options(self) -> "LiveOptions":
        """Return what live vendors are opened with."""
        from ingestion.sources.live import LIVE
        from ingestion.sources.vendor import LiveOptions

        # Never `--as-of`: what is read now was not recorded at a time of the past.
        return LiveOptions(
            utc_now,
            self.settings.vendor_keys(LIVE),
            self.home.files.cache,
            self._scorer(),
            self.settings.chains,
        )


def runtime() -> Runtime:
    """Return the runtime of this process: telemetry off, logs to stderr, the clock read once."""
    quiet_libraries()
    settings = load_settings()
    configure_logs(settings.log_level)
    return Runtime(settings, settings.home_at(), utc_now())
