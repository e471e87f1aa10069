"""From a folder to a CheckedRuleset: the one way in, and the only place in this room that touches files.

`build` is the pure part: texts in, ruleset and problems out. The other functions read the files and hand them to it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from engine.errors import RulesetError
from engine.rules import document
from engine.rules.approval import Signed, TrustList
from engine.rules.cases import Case, parse_cases
from engine.rules.certificate import CERTIFICATE, Certificate, read_certificate
from engine.rules.check import check
from engine.rules.document import Node
from engine.rules.model import CheckedRuleset, Ruleset
from engine.rules.parse import parse
from engine.rules.problem import Problem, Problems, error
from engine.rules.remainder import check_remainder
from engine.rules.signed_files import APPROVALS, KEYS, read_signed, read_trust
from engine.rules.source import Source, Span

MAIN = "ruleset.yaml"
"""The file that makes a folder a ruleset."""
CASES = "cases.yaml"
_TEXTS = ("texts.", ".yaml")


@contextmanager
def collector_paused() -> Iterator[None]:
    """Until the end nobody looks for circles of objects that can be thrown away.

    Building a large ruleset makes a million objects, none of which is in a circle and all of which stay: to look
    through them again and again took more than half of the time.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


@collector_paused()
def build(sources: Mapping[str, Source]) -> tuple[CheckedRuleset | None, Problems]:
    """The ruleset that some texts say, or None; and every problem. Pure.

    `sources` are keyed by file name: `ruleset.yaml` and a `texts.<language>.yaml` for each language.
    """
    trees: dict[str, Node] = {}
    found: list[Problem] = []
    broken: set[str] = set()
    for name, source in sources.items():
        if name != MAIN and _language(name) is None:
            continue
        node, problems = document.read(source)
        found.extend(problems)
        if node is not None:
            trees[name] = node
        if problems:  # a tree with problems has holes, which would only cause more of them
            broken.add(name)
    if MAIN not in sources:
        found.append(error("file-missing", _beginning(Source(MAIN, "")), f"there is no {MAIN}"))
    main, texts = _apart({name: tree for name, tree in trees.items() if name not in broken})
    ruleset, problems = parse(main, texts)
    found.extend(problems)
    if ruleset is not None and not Problems(found):
        return check(ruleset)
    return None, Problems([*found, *check_remainder(*_apart(trees), found, all_read=broken <= trees.keys())])


def _apart(trees: Mapping[str, Node]) -> tuple[Node | None, dict[str, Node]]:
    """The tree of ruleset.yaml and those of the texts, by language."""
    texts = {language: tree for name, tree in trees.items() if (language := _language(name)) is not None}
    return trees.get(MAIN), texts


def load(path: str | Path) -> CheckedRuleset:
    """The ruleset in a folder (or of a path to its ruleset.yaml); RulesetError with every problem if there is none."""
    checked, problems = read_ruleset(path)
    if checked is None:
        raise RulesetError(problems)
    return checked


def load_texts(path: str | Path) -> tuple[CheckedRuleset, dict[str, str]]:
    """As `load`, with the very texts that were read, by file name: `build` makes the same ruleset of them again."""
    sources, found = _sources(path)
    checked, problems = _built(sources, found)
    if checked is None:
        raise RulesetError(problems)
    return checked, {name: source.text for name, source in sources.items()}


def read_ruleset(path: str | Path) -> tuple[CheckedRuleset | None, Problems]:
    """The ruleset in a folder, or None; with every problem, warnings too. Files that cannot be read are problems."""
    return _built(*_sources(path))


def _built(sources: Mapping[str, Source], found: list[Problem]) -> tuple[CheckedRuleset | None, Problems]:
    if not found:
        return build(sources)
    # What can be read is looked at all the same, so that its author sees everything at once; a text that seems missing
    # may stand in the file that cannot be read.
    rest = build(sources)[1] if MAIN in sources else Problems()
    return None, Problems([*found, *(problem for problem in rest if problem.code != "text-missing")])


def _sources(path: str | Path) -> tuple[dict[str, Source], list[Problem]]:
    """The texts that make up a ruleset, by file name, and why others cannot be read."""
    folder = _folder(path)
    sources: dict[str, Source] = {}
    found: list[Problem] = []
    for each in (folder / MAIN, *sorted(each for each in folder.glob("texts.*.yaml") if _language(each.name))):
        source, problems = _read(each)
        found.extend(problems)
        if not problems:
            sources[each.name] = source
    return sources, found


def load_written(path: str | Path) -> Ruleset:
    """The ruleset in a folder as its author wrote it: sound, and with its parameters and operands as they stand.

    RulesetError with every problem if there is none.
    """
    load(path)
    folder = _folder(path)
    files = [folder / MAIN, *(each for each in folder.glob("texts.*.yaml") if _language(each.name))]
    trees = {each.name: node for each in files if (node := document.read(_read(each)[0])[0]) is not None}
    ruleset, problems = parse(*_apart(trees))
    if ruleset is None:
        raise RulesetError(Problems(problems))
    return ruleset


def load_cases(path: str | Path, ruleset: CheckedRuleset) -> tuple[Case, ...]:
    """The cases in a ruleset's folder, in their order, empty without cases.yaml; RulesetError where one is wrong."""
    file = _folder(path) / CASES
    if not file.exists():
        return ()
    source, found = _read(file)
    node = None
    if not found:
        node, found = document.read(source)
    cases: tuple[Case, ...] = ()
    if node is not None and not found:
        cases, found = parse_cases(node, ruleset)
    _raise(found)
    return cases


def load_certificate(path: str | Path) -> Certificate | None:
    """The certificate in a ruleset's folder, None where there is none; RulesetError where it cannot be read."""
    source = _optional(_folder(path) / CERTIFICATE)
    if source is None:
        return None
    certificate, problems = read_certificate(source)
    _raise(problems)
    return certificate


def load_approvals(path: str | Path) -> tuple[Signed, ...]:
    """Who signed the ruleset in a folder, whether it counts or not; RulesetError where that cannot be read."""
    return load_signed(_folder(path) / APPROVALS)


def load_signed(file: Path) -> tuple[Signed, ...]:
    """The signed statements in a file, empty where there is none; RulesetError where one is wrong."""
    source = _optional(file)
    if source is None:
        return ()
    signed, problems = read_signed(source)
    _raise(problems)
    return signed


def load_trust(root: str | Path) -> TrustList:
    """The trust list in the folder of all rulesets, empty where there is none; RulesetError where it is wrong."""
    source = _optional(Path(root) / KEYS)
    if source is None:
        return TrustList()
    trust, problems = read_trust(source)
    _raise(problems)
    return trust


def find_root(path: str | Path) -> Path:
    """The folder of all rulesets that a ruleset's folder stands in: the nearest above it with a trust list.

    A ruleset stands in `<name>/` or `<name>/<version>/`, so no more than two folders are looked at; where none has a
    trust list it is the first.
    """
    folder = _folder(path).resolve()
    above = [*folder.parents[:2]] or [folder]
    return next((each for each in above if (each / KEYS).exists()), above[0])


def discover(root: str | Path) -> list[Path]:
    """The folders below `root` that hold a ruleset, sorted: `<name>/` and `<name>/<version>/`."""
    return sorted(file.parent for pattern in (f"*/{MAIN}", f"*/*/{MAIN}") for file in Path(root).glob(pattern))


def _folder(path: str | Path) -> Path:
    path = Path(path)
    return path.parent if path.name == MAIN else path


def _optional(file: Path) -> Source | None:
    """The text of a file that need not be there; RulesetError where it cannot be read."""
    if not file.exists() and not file.is_symlink():
        return None
    source, problems = _read(file)
    _raise(problems)
    return source


def _raise(found: list[Problem]) -> None:
    problems = Problems(found)
    if problems:
        raise RulesetError(problems)


def _language(name: str) -> str | None:
    """The language in the name of a texts file; None for any other file."""
    before, after = _TEXTS
    return name[len(before) : -len(after)] or None if name.startswith(before) and name.endswith(after) else None


def _read(file: Path) -> tuple[Source, list[Problem]]:
    """The text of a file; no more of it is read than is allowed."""
    nothing = Source(str(file), "")
    try:
        with file.open("rb") as opened:
            return document.decode(str(file), opened.read(document.LARGEST + 1))
    except FileNotFoundError:
        help = f"a ruleset is a folder with {MAIN}"
        return nothing, [error("file-missing", _beginning(nothing), "there is no such file", help)]
    except OSError as fault:
        message = f"the file cannot be read: {fault.strerror or fault}".lower()
        return nothing, [error("file-unreadable", _beginning(nothing), message)]


def _beginning(source: Source) -> Span:
    return Span(source, 1, 1, 1, 1)
