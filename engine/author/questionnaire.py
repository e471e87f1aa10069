"""A questionnaire -> text for a person at a terminal: each question, what it takes, and when it is asked, in words.

It renders the JSON form of `GetQuestionnaireResponse`.
"""

from __future__ import annotations

from engine.author.labels import labels
from engine.author.layout import Page, Role
from engine.author.render import Json, Labels, range_of, word


def render_questionnaire(response: Json, width: int) -> Page:
    """Every question in the order of the ruleset, under the headings of its groups."""
    page = Page(width)
    words = labels(response.get("language", ""))
    ruleset = response.get("ruleset", {})
    page.add(f"{response.get('title', '')} ({ruleset.get('id', '')} {ruleset.get('version', '')})", Role.TITLE)
    said = [response.get(key, "") for key in ("yesText", "noText", "unknownText")]
    page.add(" / ".join(filter(None, said)), Role.ASIDE)
    groups = {group["id"]: group for group in response.get("groups", ())}
    current = None
    described: set[str] = set()
    for question in response.get("questions", ()):
        group = question.get("group", "")
        if group != current:
            current = group
            page.gap()
            if group:
                page.add(f"{groups[group].get('title') or group} ({group})", Role.HEADING)
            if group and group not in described:
                _group(page, words, groups[group])
            described.add(group)
        _question(page, words, question)
    return page


def _group(page: Page, words: Labels, group: Json) -> None:
    """What holds for a whole group, told where it begins."""
    if "askedWhen" in group:
        page.add(f"{words['asked_when']} {in_words(words, group['askedWhen'])}", Role.ASIDE, "  ", 4)
    if group.get("noneOfText"):
        page.add(f"{words['none_of']}: {group['noneOfText']}", Role.ASIDE, "  ", 4)


def _question(page: Page, words: Labels, question: Json) -> None:
    page.add(f"{question.get('text', '')} ({question['id']})", lead="  - ")
    if question.get("help"):
        page.add(question["help"], Role.ASIDE, "    ")
    kind = word(question.get("type", ""), "QUESTION_TYPE_")
    takes = words.get(kind, kind)
    if kind in ("choice", "several"):
        takes += ": " + ", ".join(f"{each['id']} ({each.get('text', '')})" for each in question.get("options", ()))
    page.add(", ".join(filter(None, [takes, range_of(question)])), Role.ASIDE, "    ")
    if "askedWhen" in question:
        page.add(f"{words['asked_when']} {in_words(words, question['askedWhen'])}", Role.ASIDE, "    ")
    if question.get("core"):
        page.add(words["core"], Role.ASIDE, "    ")


def in_words(words: Labels, condition: Json) -> str:
    """A condition as people read it; brackets where `and` and `or` would run together."""
    for kind, part in condition.items():
        match kind:
            case "comparison":
                return _comparison(words, part)
            case "unknown" | "answered":
                return f"{part} {words['is']} {words[kind]}"
            case "all" | "any":
                joint = words["and" if kind == "all" else "or"]
                return f" {joint} ".join(_inside(words, each) for each in part.get("conditions", ()))
            case "not" | "unless" | "surely":
                return f"{words[kind]} {_inside(words, part)}"
            case "count":
                listed = ", ".join(in_words(words, each) for each in part.get("conditions", ()))
                return f"{words['count'].format(part.get('atLeast', 0))} ({listed})"
    return "?"


def _inside(words: Labels, condition: Json) -> str:
    text = in_words(words, condition)
    joined = any(len(condition.get(kind, {}).get("conditions", ())) > 1 for kind in ("all", "any"))
    return f"({text})" if joined else text


def _comparison(words: Labels, comparison: Json) -> str:
    operator = word(comparison.get("operator", ""), "COMPARISON_OPERATOR_")
    values = f" {words['or']} ".join(comparison.get("values", ()))
    return f"{comparison.get('question', '')} {words.get(operator, words['is'])} {values}"
