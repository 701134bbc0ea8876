"""Hashes of code: of what makes feature rows, by its meaning, and of whole packages, by the byte.

Modules are found by their packages' own places, as an installed wheel has them, and read as text:
nothing is imported from here.
"""

import ast
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from market.errors import ConfigurationError

# Whose modules may be in the closure; everything else that is imported is a library.
OURS: Final = ("market", "home", "forecasters", "feature_repo", "ingestion")
# What turns raw rows into feature rows: these modules and packages, and all that they import.
STARTS: Final = ("feature_repo.features.catalogue", "ingestion.views")

# The source of one of our modules by its dotted name, None where it is none of ours.
Read = Callable[[str], str | None]
# A name that is imported, the name it gets, and the module of ours that it comes from.
Import = tuple[str, str, str]


@cache
def definition_hash() -> str:
    """Return the SHA-256 of the code that makes feature rows, 64 hexadecimal digits.

    A changed formula changes it, and so does what is as good as one: when an input is available,
    who is in a basket, which raw rows count and how they are aligned. Where a module lies and
    what it is called does not, nor do comments, docstrings, layout and the words of errors.
    A new underlying or basket changes it too, though no value of the others: the hash is of all
    tickers, as a model may be trained on several.
    """
    return hash_of([name for start in STARTS for name in modules_of(start)], source_of)


def hash_of(starts: Iterable[str], read: Read) -> str:
    """Return the SHA-256 of modules and of all of ours that they import, by content.

    Every module counts as its own text beside the texts of those it imports from, so that a name
    taken from another module is another definition, and a module under another name is not.

    Parameters
    ----------
    starts
        Dotted names of modules.
    read
        Their source by name, None for a module that is not ours.

    Raises
    ------
    ConfigurationError
        If a module is not there: a hash of the rest would stand for other definitions.
    """
    modules = closure(starts, read)
    texts = {name: _digest(module.form) for name, module in modules.items()}
    nodes = [
        (texts[name], tuple(sorted((what, alias, texts[of]) for what, alias, of in module.imports)))
        for name, module in modules.items()
        if module.imports or module.form != _EMPTY
    ]
    return _digest(sorted(nodes))


@dataclass(frozen=True)
class Module:
    """A module's syntax tree in canonical form, and beside it what it imports from ours."""

    form: object
    imports: tuple[Import, ...]


def closure(starts: Iterable[str], read: Read) -> dict[str, Module]:
    """Return modules and all of ours that they import, by dotted name.

    Type-only imports do not count, imports inside functions do; see `hash_of`.
    """
    modules: dict[str, Module] = {}
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in modules:
            modules[name] = _module(name, read)
            waiting += [part for _, _, of in modules[name].imports for part in _packages(of)]
    return modules


@cache
def source_of(name: str) -> str | None:
    """Return the source of one of our modules, a package's `__init__`; None if it is not ours."""
    top, *parts = name.split(".")
    if top not in OURS:
        return None
    place = _folder(top).joinpath(*parts)
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path.read_text("utf-8")
    return None


def modules_of(name: str) -> list[str]:
    """Return the dotted names of all modules in a package; of a module, its own."""
    top, *parts = name.split(".")
    folder = _folder(top).joinpath(*parts)
    below = (path.relative_to(folder).with_suffix("").parts for path in folder.rglob("*.py"))
    return sorted(".".join((name, *rest)) for rest in below if rest[-1] != "__init__") or [name]


@cache
def code_fingerprint(packages: tuple[str, ...], libraries: tuple[str, ...] = ()) -> str:
    """Return the SHA-256 of packages byte by byte, and of the versions of libraries.

    Finer than the definition hash and made in a millisecond, for work whose repetition is cheap
    beside a wrong answer: a comment is reason enough to do it again.
    """
    digests = [
        [name, path.relative_to(_folder(name)).as_posix(), sha256(path.read_bytes()).hexdigest()]
        for name in packages
        for path in sorted(_folder(name).rglob("*.py"))
    ]
    versions = [[library, version(library)] for library in libraries]
    return sha256(json.dumps([digests, versions]).encode()).hexdigest()


def _folder(package: str) -> Path:
    """Return the folder of one of our top packages, which is not imported."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise _missing(package)
    return Path(spec.submodule_search_locations[0])


def _module(name: str, read: Read) -> Module:
    source = read(name)
    if source is None:
        raise _missing(name)
    imports: list[Import] = []
    form = _canonical(ast.parse(source), read, imports)
    return Module(form, tuple(imports))


def _missing(name: str) -> ConfigurationError:
    return ConfigurationError(
        f"feature definitions: got no module {name}, needed are {', '.join(STARTS)} and all that "
        "they import; install the project whole"
    )


def _packages(name: str) -> list[str]:
    """Return a module and the packages it lies in: importing it runs them all."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


def _imported(node: ast.Import | ast.ImportFrom, read: Read) -> list[Import]:
    """Return what an import statement takes from our modules."""
    if isinstance(node, ast.Import):
        ours = [alias for alias in node.names if _is_ours(alias.name, read)]
        return [("", alias.asname or "", alias.name) for alias in ours]
    if node.level or node.module is None:
        raise ConfigurationError(
            f"feature definitions: got a relative import of {node.module or '.'}, allowed are "
            "whole names of modules"
        )
    if not _is_ours(node.module, read):
        return []
    return [_taken(node.module, alias, read) for alias in node.names]


def _taken(module: str, alias: ast.alias, read: Read) -> Import:
    submodule = f"{module}.{alias.name}"
    if read(submodule) is not None:
        return "", alias.asname or alias.name, submodule
    return alias.name, alias.asname or alias.name, module


def _is_ours(name: str, read: Read) -> bool:
    return read(name.split(".")[0]) is not None


def _canonical(node: object, read: Read, imports: list[Import]) -> object:
    """Syntax tree as nested tuples, the same in every Python version that can parse the module.

    Empty fields are left out, as versions differ in which ones they have; `ast.unparse` would
    not do, as versions quote differently. Our own imports are put into `imports` instead, and
    what only type checkers or readers of errors see is left out.
    """
    if isinstance(node, list):
        forms = [_canonical(item, read, imports) for item in node]
        return tuple(form for form in forms if form != ())
    if not isinstance(node, ast.AST):
        return node
    if isinstance(node, ast.expr_context):  # read or written: where it stands says which
        return None
    if isinstance(node, ast.Import | ast.ImportFrom) and (ours := _imported(node, read)):
        imports += ours
        return ()
    if isinstance(node, ast.If) and _is_type_only(node.test):
        return _canonical(node.orelse, read, imports)
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        node.exc = node.exc.func
    _strip_docstring(node)
    fields = [
        (name, _canonical(value, read, imports) if isinstance(value, _INNER) else value)
        for name, value in ast.iter_fields(node)
    ]
    return type(node).__name__, tuple(field for field in fields if field[1] not in _NOTHING)


def _is_type_only(test: ast.expr) -> bool:
    name = test.id if isinstance(test, ast.Name) else getattr(test, "attr", None)
    return name == "TYPE_CHECKING"


def _strip_docstring(node: ast.AST) -> None:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
        node.body = node.body[1:]


def _digest(form: object) -> str:
    return sha256(repr(form).encode()).hexdigest()


_INNER: Final = (ast.AST, list)
_NOTHING: Final = (None, ())
_EMPTY: Final = ("Module", ())
