"""The definition hash feels what shapes feature rows, wherever it stands, and nothing else."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from feature_repo.features import definition_hash as hashing
from feature_repo.features.definition_hash import (
    OURS,
    STARTS,
    closure,
    code_fingerprint,
    definition_hash,
    hash_of,
    modules_of,
    source_of,
)
from market.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[3]
START_MODULES = [name for start in STARTS for name in modules_of(start)]
MODULES = closure(START_MODULES, source_of)


def one(source: str) -> str:
    return hash_of(["m"], {"m": source}.get)


SOURCE = '''
"""Module."""
from a import b

def f(x):
    """Docstring."""
    # comment
    if x is None:
        raise ValueError("x is needed")
    return x + 1

class C:
    """Docstring."""

    n = 2
'''


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("# comment", "# another", True),
        ('"""Docstring."""', '"""Other words."""', True),
        ('    """Docstring."""\n', "", True),
        ('"""Module."""\n', "", True),
        ("return x + 1", "return (x+1)", True),
        ("x is needed", "give x", True),
        ("ValueError", "TypeError", False),
        ("x + 1", "x + 2", False),
        ("n = 2", "n = 3", False),
        ("from a import b", "from a import c", False),
    ],
)
def test_the_hash_feels_formulas_and_not_words_about_them(old, new, same):
    assert old in SOURCE
    assert (one(SOURCE.replace(old, new)) == one(SOURCE)) is same


def test_the_hash_is_the_same_in_every_python_version():
    """Nested quotes and functions are where the versions' syntax trees and texts differ."""
    source = "def f(x: list[str]) -> str:\n    return f'{\", \".join(x)!r:>{len(x)}} and it\\'s'\n"
    assert one(source) == "3b7e7fae8cf3a1462a7d244c516773babeb43f2343745ccb39ee83e21d0dbf51"


def test_constants_of_different_types_differ():
    assert len({one(f"x = {value}") for value in ("1", "1.0", "'1'", "True", "None")}) == 5


PARTS = {
    "p": '"""A package."""',
    "p.start": "from p.a import x\nfrom p.b import y\nimport numpy\nz = x + y\n",
    "p.a": "x = 1\n",
    "p.b": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import p.typed\ny = 2\n",
}


def parts(start: str = "p.start", **changed: str) -> str:
    """Hash of the modules, some of them changed; `p__a` stands for `p.a`."""
    sources = PARTS | {name.replace("__", "."): source for name, source in changed.items()}
    return hash_of([start], sources.get)


def test_what_a_module_imports_counts_at_any_depth():
    assert parts(p__a="x = 2\n") != parts()
    deep = {"p__a": "from p.deep import x\n"}
    assert len({parts(), *(parts(**deep, p__deep=f"x = {n}") for n in (1, 2))}) == 3
    local = {"p__a": "def x():\n    from p.deep import w\n    return w\n"}
    assert parts(**local, p__deep="w = 1") != parts(**local, p__deep="w = 2")
    assert parts(p="x = 1") != parts()
    assert parts(p__unrelated="x = 1") == parts()


def test_which_module_a_name_is_taken_from_counts():
    both = {"p__a": "x = 1\ny = 3\n", "p__b": "x = 4\ny = 2\n"}
    swapped = PARTS["p.start"].replace("p.a", "p.c").replace("p.b", "p.a").replace("p.c", "p.b")
    assert parts(**both) != parts(**both, p__start=swapped)
    renamed = PARTS["p.start"].replace("import y", "import x as y")
    assert parts(**both) != parts(**both, p__start=renamed)


def test_what_only_a_type_checker_imports_does_not_count():
    assert parts(p__typed="x = 1") == parts() == parts(p__typed="x = 2")


def test_modules_under_other_names_are_the_same_definitions():
    moved = {
        name.replace("p.a", "q.r.zz"): text.replace("p.a", "q.r.zz") for name, text in PARTS.items()
    }
    # As a formatter sorts them.
    moved["p.start"] = "import numpy\nfrom p.b import y\nfrom q.r.zz import x\nz = x + y\n"
    whole = moved | {"q": "", "q.r": '"""A room."""'}
    assert hash_of(["p.start"], whole.get) == parts(p__start=PARTS["p.start"])
    taken = {"p.start": "from p import a\nw = a.x\n", "p": "", "p.a": "x = 1\n"}
    assert hash_of(["p.start"], taken.get) != hash_of(["p.start"], {**taken, "p.a": "x = 2"}.get)


def test_a_relative_import_or_a_missing_module_is_no_definition():
    with pytest.raises(ConfigurationError, match="got a relative import of a"):
        one("from .a import b")
    with pytest.raises(ConfigurationError, match=r"got no module p\.a, .* install"):
        hash_of(["p.start"], {name: text for name, text in PARTS.items() if name != "p.a"}.get)
    with pytest.raises(ConfigurationError, match="got no module nowhere"):
        modules_of("nowhere")


# Each shapes feature rows: what stands in our code, and what would be another definition.
CHANGES = {
    "a filter of mentions": ('MENTION_FILTERS: Final = ("wall', 'MENTION_FILTERS: Final = ("well'),
    "a basket": ("AAPL 4.6 MSFT 4.5", "AAPL 4.6 MSFT 4.4"),
    "an alignment": ("sessions <= pd.Timestamp(", "sessions < pd.Timestamp("),
    "a formula": ("change(open, shift(close, 1))", "change(open, shift(close, 2))"),
    "an availability": ("timedelta(hours=row.hour)", "timedelta(hours=row.hour + 1)"),
}  # fmt: skip


def sources() -> dict[str, str]:
    return {name: source_of(name) or "" for name in MODULES}


def test_this_code_has_the_hash_of_its_closure():
    assert definition_hash() == hash_of(START_MODULES, sources().get)
    assert len(definition_hash()) == 64


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_what_shapes_rows_is_another_definition(change):
    old, new = CHANGES[change]
    held = sources()
    (name,) = (name for name, source in held.items() if old in source)
    changed = held | {name: held[name].replace(old, new)}
    assert hash_of(START_MODULES, changed.get) != definition_hash()


# Of each room that shapes rows, one module: a hash of all takes a tenth of a second.
DEFINING = (
    "feature_repo.features.catalogue",
    "feature_repo.features.earnings.reports",
    "feature_repo.features.maths.windows",
    "home.manifest",
    "ingestion.tables.catalogue",
    "ingestion.views.feature_rows",
    "market.adjust",
    "market.underlyings",
)


@pytest.mark.parametrize("name", DEFINING)
def test_every_module_of_the_closure_counts_and_remarks_do_not(name):
    held = sources()
    changed = held | {name: held[name] + "\nX = 1\n"}
    reworded = held | {name: held[name] + "\n# A remark.\n"}
    assert hash_of(START_MODULES, changed.get) != definition_hash()
    assert hash_of(START_MODULES, reworded.get) == definition_hash()


@pytest.mark.parametrize(
    "name",
    [
        "feature_repo.features.technical",
        "ingestion.tables",
        "ingestion.views",
        "market.availability",
    ],
)
def test_a_module_or_package_that_moves_is_the_same_definition(name):
    def moved(text: str, before: str = "") -> str:
        return re.sub(rf"{before}\b{re.escape(name)}\b", f"{before}market.moved", text)

    held = {moved(part): moved(source, "from ") for part, source in sources().items()}
    assert len(held) == len(MODULES)
    assert hash_of([moved(start) for start in START_MODULES], held.get) == definition_hash()


def test_the_closure_leaves_no_package_of_ours_out():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    others = tuple(
        f"{word} {name}" for name in {*packages} - {*OURS} for word in ("from", "import")
    )
    for name, source in sources().items():
        lines = [line.strip() for line in source.splitlines()]
        assert not [line for line in lines if line.startswith(others)], name


def test_an_installed_copy_has_the_same_hash(tmp_path):
    for package in OURS:
        shutil.copytree(ROOT / package, tmp_path / package)
    code = "from feature_repo.features.definition_hash import definition_hash as h; print(h())"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd="/", env=environment
    )
    assert (done.stdout.strip(), done.stderr) == (definition_hash(), "")


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return one of two modules of a package that can be imported."""
    folder = tmp_path / "a_package" / "room"
    folder.mkdir(parents=True)
    for path in (folder.parent / "__init__.py", folder / "iv.py", folder / "macro.py"):
        path.write_text("x = 1")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder / "iv.py"


def code(*libraries: str) -> str:
    code_fingerprint.cache_clear()
    return code_fingerprint(("a_package",), libraries)


def test_code_and_libraries_are_in_the_fingerprint(module, monkeypatch):
    prints = [code("numpy"), code("numpy"), code()]
    module.write_text("x = 1  # a remark")
    prints.append(code("numpy"))
    monkeypatch.setattr(hashing, "version", lambda name: f"{name} 99")
    prints.append(code("numpy"))
    module.rename(module.with_name("volatility.py"))
    prints.append(code("numpy"))
    assert prints[0] == prints[1]
    assert len(set(prints)) == 5
