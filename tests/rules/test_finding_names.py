"""Findings have names in all languages or in none, and a ruleset without names stays what it was."""

from __future__ import annotations

from engine.rules.content import content
from engine.rules.load import build
from engine.rules.model import CheckedRuleset
from engine.rules.problem import Problems
from engine.rules.source import Source
from tests.rules.bicycle import sources, valid

SOFT = "findings:\n  soft_tyre: een zachte band\n"
BOTH = f"{SOFT}  neglected: {{patient: een fiets zonder zorg, clinician: achterstallig onderhoud}}\n"


def named(dutch: str, english: str) -> tuple[CheckedRuleset | None, Problems]:
    """The bicycle in two languages, each with these names; its English is Dutch."""
    files = sources([("ruleset.yaml", "languages: [nl]", "languages: [nl, en]")])
    text = files["texts.nl.yaml"].text
    english_text = text.replace("language: nl", "language: en") + english
    return build(
        files
        | {
            "texts.nl.yaml": Source("texts.nl.yaml", text + dutch),
            "texts.en.yaml": Source("texts.en.yaml", english_text),
        }
    )


def told(problems: Problems) -> list[tuple[str, str]]:
    return [(problem.code, problem.message) for problem in problems]


def test_names_are_read_for_patients_and_clinicians() -> None:
    checked, problems = named(BOTH, BOTH)
    assert checked is not None and told(problems) == []
    wording = checked.ruleset.texts["en"].get("findings", "neglected")
    assert (wording.patient, wording.clinician) == ("een fiets zonder zorg", "achterstallig onderhoud")


def test_one_name_asks_for_all_of_them() -> None:
    checked, problems = named(BOTH, SOFT)
    assert checked is None
    assert told(problems) == [("text-missing", "no text in `en` for `neglected` under `findings`")]


def test_one_language_asks_for_the_others() -> None:
    checked, problems = named(BOTH, "")
    assert checked is None
    assert told(problems) == [
        ("text-missing", "no text in `en` for `soft_tyre` under `findings`"),
        ("text-missing", "no text in `en` for `neglected` under `findings`"),
    ]
    missing = next(iter(problems))
    assert missing.span.source.name == "ruleset.yaml"
    assert missing.help == "add it to `findings` in texts.en.yaml"


def test_the_name_of_no_finding_is_shown_nowhere() -> None:
    checked, problems = named(f"{BOTH}  flat_tyre: een lekke band\n", BOTH)
    assert checked is not None
    assert told(problems) == [("unknown-text", "nothing shows `flat_tyre` of `findings`")]
    assert next(iter(problems)).span.source.name == "texts.nl.yaml"


def test_without_names_the_content_does_not_know_the_section() -> None:
    without, emptied = (
        valid(*change) for change in ((), (("texts.nl.yaml", "reasons:\n", "findings: {}\nreasons:\n"),))
    )
    assert '"findings"' not in str(content(without.ruleset)["texts"]).replace("'", '"')
    assert without.digest == emptied.digest


def test_a_name_counts_in_the_digest() -> None:
    first, second = (named(names, names)[0] for names in (BOTH, BOTH.replace("zachte", "slappe")))
    assert first is not None and second is not None
    assert first.digest != second.digest
