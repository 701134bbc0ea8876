"""The compose file and the image, checked as text: no docker engine is needed."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = {"app", "serving", "dashboard", "mlflow"}


def test_the_services_are_those_of_the_design() -> None:
    assert set(SERVICES) == OURS | {"redis"}


def test_redis_has_a_password_and_no_port() -> None:
    redis = SERVICES["redis"]
    assert "ports" not in redis
    assert "--requirepass" in redis["command"]
    assert ":?" in redis["environment"]["REDIS_PASSWORD"]


def test_app_runs_once_and_only_when_asked() -> None:
    app = SERVICES["app"]
    assert app["profiles"] == ["app"]
    assert app["restart"] == "no"
    assert "ports" not in app


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_service_waits_for_redis_and_keeps_the_home(name: str) -> None:
    service = SERVICES[name]
    assert service["depends_on"] == {"redis": {"condition": "service_healthy"}}
    assert service["volumes"] == ["home:/home/optrade/home"]
    assert "REDIS_URL" in service["environment"]


@pytest.mark.parametrize("name", sorted(OURS - {"app"}))
def test_ports_are_published_on_this_machine_alone(name: str) -> None:
    (port,) = SERVICES[name]["ports"]
    assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize("name", sorted(OURS - {"app"}))
def test_commands_exist(name: str) -> None:
    from optrade.cli.run import service

    assert SERVICES[name]["command"][0] in service.COMMANDS


def test_no_secret_stands_in_the_file() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for line in text.splitlines():
        if "PASSWORD" in line or "API_KEY" in line:
            assert "$" in line or line.lstrip().startswith("#"), line


def test_the_image_installs_from_the_lock_and_does_not_run_as_root() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes" in text
    assert "requirements.lock" in text
    assert "\nUSER optrade\n" in text


def test_uv_is_of_one_version() -> None:
    version = next(
        line.split(":=")[1].strip()
        for line in (ROOT / "Makefile").read_text().splitlines()
        if line.startswith("UV_VERSION")
    )
    assert f"uv=={version}" in (ROOT / "Dockerfile").read_text()
