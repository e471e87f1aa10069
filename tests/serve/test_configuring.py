"""Settings from a file: what is read, which fault is named how, and that the printed reference is true and whole."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli import app
from engine.serve.config import Config, ConfigError, LogFormat, Right, Use
from engine.serve.configuring import FILES_OR_ADDRESSES, SECTIONS, read_config
from engine.serve.reference import EXAMPLE, reference
from engine.serve.standing import Requirement

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "CONFIGURATION.md"

Written = Callable[[str], Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(text: str) -> Path:
        path = tmp_path / "pluis.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_example_is_read_and_says_every_setting(written: Written, tmp_path: Path) -> None:
    config = read_config(written(EXAMPLE), {})
    said = tomllib.loads(EXAMPLE)
    assert said.keys() == Config.model_fields.keys()
    for section, shape in SECTIONS.items():
        tables = said[section] if isinstance(said[section], list) else [said[section]]
        assert {name for table in tables for name in table} == shape.model_fields.keys()
    assert config.rulesets == tmp_path / "rulesets"
    assert config.log_format is LogFormat.JSON
    assert config.required == frozenset(Requirement)
    assert config.issuers[0].use is Use.ONCE
    assert [caller.name for caller in config.callers] == ["ehr", "operator"]
    assert config.callers[1].rights == {Right.ADMIN, Right.AUDIT, Right.RULESETS}


def test_sections_are_the_tables_of_the_settings() -> None:
    shapes = Config.model_json_schema()["$defs"]
    tables = {name for name, shape in shapes.items() if shape["type"] == "object"}
    assert {shape.__name__ for shape in SECTIONS.values()} == tables


def test_a_path_in_the_file_is_relative_to_the_file(written: Written, tmp_path: Path) -> None:
    config = read_config(written(EXAMPLE), {})
    assert config.tls is not None
    paths = [config.rulesets, config.state, config.shadow, config.log_keys, config.tls.certificate, config.tls.key,
             config.tls.client_authorities, Path(config.log), Path(config.issuers[0].keys)]  # fmt: skip
    assert [path for path in paths if path is None or not path.is_relative_to(tmp_path)] == []


def test_every_path_among_the_settings_is_known() -> None:
    """A new setting that is a path, or may be one, is noticed here: the test above must look at it too."""
    shapes = {"": Config, **SECTIONS}
    paths = {
        name
        for shape in shapes.values()
        for name, field in shape.model_fields.items()
        if "Path" in str(field.annotation) or name in FILES_OR_ADDRESSES
    }
    assert paths == {
        "rulesets", "state", "shadow", "log_keys", "certificate", "key", "client_authorities", "log", "keys",
    }  # fmt: skip


def test_an_address_is_no_path(written: Written) -> None:
    said = """
    rulesets = "/elsewhere/rulesets"
    log = "postgresql://pluis@db/pluis"
    log_keys = "keys.json"
    callers = [{name = "ehr", issuer = "us", subject = "ehr", rights = ["evaluate"]}]
    [[issuers]]
    issuer = "us"
    audience = ["pluis"]
    keys = "https://login.example.nl/jwks"
    """
    config = read_config(written(said), {})
    assert config.log == "postgresql://pluis@db/pluis"
    assert config.issuers[0].keys == "https://login.example.nl/jwks"
    assert config.rulesets == Path("/elsewhere/rulesets")
    assert read_config(written('rulesets = "r"\nlog = "off"'), {}).log == "off"
    with pytest.raises(ConfigError, match="no log is named"):
        read_config(written('rulesets = "r"\nlog = ""'), {})


def test_what_is_left_out_is_the_default(written: Written) -> None:
    assert read_config(written('rulesets = "/r"'), {}) == Config(rulesets=Path("/r"))


def test_the_command_line_wins(written: Written) -> None:
    path = written('rulesets = "r"\nport = 1\nworkers = 2')
    config = read_config(path, {"port": 3, "rulesets": Path("typed")})
    assert (config.port, config.workers, config.rulesets) == (3, 2, Path("typed"))
    assert read_config(None, {"rulesets": Path("typed")}) == Config(rulesets=Path("typed"))
    assert read_config(written("workers = 2"), {"rulesets": Path("typed")}).workers == 2


TWO_CALLERS = """
[[callers]]
name = "ehr"
certificate = "ehr"
rights = ["evaluate"]
[[callers]]
name = "ehr"
certificat = "other"
rights = ["evaluat"]
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ["`rulesets`: field required"]),
        ('rulesets = "r"\nprot = 5', ["there is no setting `prot`: did you mean `port`?"]),
        ('rulesets = "r"\nqqq = 5', ["there is no setting `qqq`"]),
        ('rulesets = "r"\n[tls]\ncertificate = "c"\nkey = "k"\nkeys = "k"', ["`tls.keys`: did you mean `key`?"]),
        ('rulesets = "r"\ntls = 5', ["`tls`:"]),
        ('rulesets = "r"\nissuers = [5]', ["`issuers.0`:"]),
        ('rulesets = "r"\nissuers = {issuer = "x"}', ["`issuers`:"]),
        ('rulesets = "r"\nport = 65536\nworkers = 0\nnonsense = 1', ["`port`", "`workers`", "`nonsense`"]),
        ('rulesets = "r"\nhost = "0.0.0.0"\nnonsense = 1', ["`0.0.0.0` can be reached", "`nonsense`"]),
        ('rulesets = "r"\nthreads = 4\nmax_streams = 4', ["`max_streams`"]),
        (
            'rulesets = "r"' + TWO_CALLERS,
            ["`callers.1.certificat`: did you mean `certificate`?", "`callers.1.rights.0`"],
        ),
        ('rulesets = "r"\nlog_format = "xml"', ["`log_format`: input should be 'text' or 'json'"]),
        ('rulesets = "r"\nrate = inf', ["`rate`"]),
        ("rulesets = [", ["pluis.toml` is not TOML: ", "(at "]),
        ('rulesets = "r"\nrulesets = "s"', ["is not TOML: cannot overwrite a value"]),
    ],
)
def test_every_fault_is_named(written: Written, text: str, told: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        read_config(written(text), {})
    assert [each for each in told if each not in str(refused.value)] == []


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.toml` cannot be read: No such file"):
        read_config(tmp_path / "nothing.toml", {})
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(tmp_path, {})
    (tmp_path / "latin.toml").write_bytes(b'rulesets = "r\xe9"')
    with pytest.raises(ConfigError, match="is not UTF-8"):
        read_config(tmp_path / "latin.toml", {})


def test_no_fault_quotes_a_password(written: Written) -> None:
    for said in ('log = "postgresql://pluis:hunter2@db/pluis"', 'log = ["hunter2"]', 'port = "hunter2"'):
        with pytest.raises(ConfigError) as refused:
            read_config(written(f'rulesets = "r"\n{said}'), {})
        assert "hunter2" not in str(refused.value)


def test_the_page_is_what_the_settings_are() -> None:
    """`make accept` writes CONFIGURATION.md anew."""
    page = reference()
    if os.environ.get("ACCEPT"):
        PAGE.write_text(page, encoding="utf-8")
    assert page == PAGE.read_text(encoding="utf-8")


def test_the_page_tells_every_setting_with_words() -> None:
    rows = [line.split(" | ") for line in reference().splitlines() if line.startswith("| `")]
    fields = [name for shape in (Config, *SECTIONS.values()) for name in shape.model_fields]
    assert [row[0] for row in rows] == [f"| `{name}`" for name in fields]
    assert [row[0] for row in rows if len(row) != 4 or len(row[3]) < 8] == []
    for word in (*Right, *Use):
        assert f"- `{word.value}`: " in reference()


def test_the_command_prints_the_page_or_checks_a_file(written: Written) -> None:
    run = CliRunner()
    assert run.invoke(app, ["configuration"]).stdout == reference()
    path = str(written(EXAMPLE))
    done = run.invoke(app, ["configuration", path])
    assert (done.exit_code, done.stdout) == (0, f"{path}: the settings can be used\n")
    path = str(written('rulesets = "r"\nprot = 5'))
    done = run.invoke(app, ["configuration", path])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "did you mean `port`?" in done.stderr
