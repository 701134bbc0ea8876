"""No process of ours pays for typeguard's rewriting of Feast's classes."""

import subprocess
import sys

import feast
import pytest

CHECKED = "print('typeguard' in feast.FeatureView.__init__.__code__.co_names)"


@pytest.mark.parametrize(
    ("first", "checked"),
    [
        ("import feast, optrade.offline_store", True),
        ("import optrade.cli, feast", False),
        ("import serving.service, feast", False),
    ],
)
def test_feast_is_unchecked_where_we_import_it(first: str, checked: bool) -> None:
    code = [sys.executable, "-c", f"{first}\n{CHECKED}"]
    assert subprocess.run(code, capture_output=True, text=True).stdout.strip() == str(checked)


def test_feast_is_unchecked_in_the_tests() -> None:
    assert "typeguard" not in feast.FeatureView.__init__.__code__.co_names
