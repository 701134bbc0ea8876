"""Services of several homes on one machine."""

from pathlib import Path

import pytest

from home.layout import Home
from optrade.clock import utc_now
from optrade.flows.serve import service
from optrade.runtime import Runtime
from optrade.settings import Settings


@pytest.mark.integration
def test_each_home_s_service_keeps_its_metrics_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def folder(name: str) -> str:
        home = Home(tmp_path / name)
        home.data.mkdir(parents=True)
        run = Runtime(Settings(REDIS_URL="redis://127.0.0.1:1"), home, utc_now())
        port = service.free_port()
        return service.prepare(run, require_proven=False, host=service.HOST, port=port)[
            "BENTOML_HOME"
        ]

    monkeypatch.setattr(service, "served_configuration", lambda *_args, **_kwargs: None)
    monkeypatch.setattr(service, "write_configuration", lambda *_args: None)
    assert Path(folder("one")).is_relative_to(tmp_path / "one")
    assert Path(folder("other")).is_relative_to(tmp_path / "other")
