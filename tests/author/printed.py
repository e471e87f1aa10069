"""Reads a printed handbook as a person does: the page as a tree, its conditions by their words, decisions by hand.

It shares no code with the evaluators and knows nothing of a ruleset but the page. Where the words and the attributes of
a line do not say the same, the page is wrong and `Misprint` is raised.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from html.parser import HTMLParser
from xml.etree.ElementTree import Element, TreeBuilder

VOID = {"meta", "link", "br", "hr"}
PHRASES = {
    "en": {
        "all": "each of these holds:",
        "any": "at least one of these holds:",
        "count": "at least {} of these hold:",
        "not": "this does not hold:",
        "unless": "this is not certain:",
        "surely": "this is certain:",
        "at_least": "at least",
        "at_most": "at most",
        "above": "above",
        "below": "below",
        "unknown": "was asked, and the answer is not known",
        "answered": "a value was given",
    },
    "nl": {
        "all": "dit klopt allemaal:",
        "any": "minstens één hiervan klopt:",
        "count": "minstens {} hiervan kloppen:",
        "not": "dit klopt niet:",
        "unless": "dit is niet zeker:",
        "surely": "dit is zeker:",
        "at_least": "minstens",
        "at_most": "hoogstens",
        "above": "boven",
        "below": "onder",
        "unknown": "gevraagd, en het antwoord is niet bekend",
        "answered": "er is een waarde gegeven",
    },
}
Truth = bool | None
Given = str | Decimal | int | tuple[str, ...]


class Misprint(AssertionError):
    """The words on the page and the attributes beside them say different things."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.builder = TreeBuilder()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self.builder.end(tag)
        else:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        self.builder.end(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"
        self.builder.end(tag)

    def handle_data(self, data: str) -> None:
        if self.open:
            self.builder.data(data)


def read_page(html: str) -> Element:
    """The page as a tree; every element must be closed."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open, f"not closed: {reader.open}"
    root = reader.builder.close()
    assert isinstance(root, Element)
    return root


def text_of(element: Element) -> str:
    """What a person reads in an element, in one line."""
    return " ".join("".join(element.itertext()).split())


def the(element: Element | None) -> Element:
    """An element that must be there."""
    assert element is not None
    return element


class Handbook:
    """A handbook in the hand of somebody who follows it."""

    def __init__(self, html: str) -> None:
        self.page = read_page(html)
        self.phrases = PHRASES[self.page.get("lang", "")]
        self.questions = self._by("question", "article")
        self.groups = self._by("group", "div")
        self.findings = self._by("finding", "article")
        self.rules = self._by("rule", "article")
        self.dispositions = [each.get("data-disposition-row", "") for each in self.all("data-disposition-row")]
        self.calls = [each.get("data-call-row", "") for each in self.all("data-call-row")]

    def all(self, attribute: str) -> list[Element]:
        """Every element with an attribute, in the order of the page."""
        return self.page.findall(f".//*[@{attribute}]")

    def _by(self, kind: str, tag: str) -> dict[str, Element]:
        return {each.get(f"data-{kind}", ""): each for each in self.page.findall(f".//{tag}[@data-{kind}]")}

    def condition(self, owner: Element, part: str = "when") -> Element | None:
        """The condition of that name in a definition."""
        found = owner.find(f"./*[@data-part='{part}']/div[@class='condition']/*")
        return found

    def labels(self, question: str) -> dict[str, str]:
        """The options of a question by the words that are printed for them."""
        options = self.questions[question].findall(".//*[@data-option]")
        return {(each.text or "").removesuffix(" ("): each.get("data-option", "") for each in options}


class Patient:
    """Somebody with answers, and what follows from them by the printed handbook."""

    def __init__(self, book: Handbook, values: Mapping[str, Given], unknown: frozenset[str]) -> None:
        self.book, self.values, self.unknown = book, values, unknown
        self.disposition = ""
        self.programme = ""
        self.true_rules = [id for id, rule in book.rules.items() if self.holds(the(book.condition(rule))) is True]
        self._decide()

    def _decide(self) -> None:
        """From the top of the page down: the first disposition with a true rule."""
        book = self.book
        rules = {id: book.rules[id] for id in self.true_rules}
        order = [each for each in book.dispositions if any(it.get("data-disposition") == each for it in rules.values())]
        winners = [it for it in rules.values() if order and it.get("data-disposition") == order[0]]
        winners = winners or book.page.findall(".//article[@data-default]")
        self.disposition = winners[0].get("data-disposition", "")
        self.call = min((it.get("data-call", "") for it in winners), key=book.calls.index)
        self.hours = min((int(it.get("data-hours", "")) for it in winners if it.get("data-hours")), default=None)
        rows = book.page.findall(".//article[@data-row]")
        self.programme = next(row.get("data-choice", "") for row in rows if self._applies(row))

    def _applies(self, row: Element) -> bool:
        condition = self.book.condition(row)
        if condition is None:
            return True
        found = self.holds(condition)
        return row.get("data-when-unknown") == "applies" if found is None else found

    def shown(self, kind: str) -> list[str]:
        """The ids of the advice or safety-net texts that this person reads."""
        return [
            item.get(f"data-{kind}", "")
            for item in self.book.page.findall(f".//article[@data-{kind}]")
            if self._certainly(item, "when", True) and self._certainly(item, "hide-when", False) and self._let(item)
        ]

    def _let(self, item: Element) -> bool:
        """Whether no policy hides texts of this kind."""
        policies = self.book.page.findall(".//article[@data-policy]")
        of_kind = [each for each in policies if item.get("data-kind") in each.get("data-kinds", "").split()]
        return all(self._certainly(each, "hide-when", False) for each in of_kind)

    def _certainly(self, item: Element, part: str, wanted: bool) -> bool:
        condition = self.book.condition(item, part)
        return condition is None or self.holds(condition) is wanted

    def holds(self, node: Element) -> Truth:
        """Whether a printed condition holds; None: not known."""
        op = node.get("data-op")
        return self._line(node) if op is None else self._joined(op, node)

    def _joined(self, op: str, node: Element) -> Truth:
        printed = the(node.find("./span[@class='op']"))
        number = printed.find("b")
        phrase = self.book.phrases[op].format("" if number is None else number.text)
        if text_of(printed) != phrase:
            raise Misprint(f"`{text_of(printed)}` stands for {op}")
        parts = [self.holds(line[0]) for line in node.findall("./ul/li")]
        match op:
            case "all":
                return False if False in parts else None if None in parts else True
            case "any":
                return True if True in parts else None if None in parts else False
            case "count":
                wanted = int(the(number).text or "")
                sure = parts.count(True)
                return True if sure >= wanted else None if sure + parts.count(None) >= wanted else False
        (part,) = parts
        match op:
            case "not":
                return None if part is None else not part
            case "unless":
                return part is not True
            case "surely":
                return part is True
        raise Misprint(f"no way to follow `{op}`")

    def _line(self, node: Element) -> Truth:
        book = self.book
        if finding := node.get("data-finding-is"):
            return self.holds(the(book.condition(book.findings[finding])))
        if rule := node.get("data-rule-is"):
            return rule in self.true_rules
        if words := node.get("data-disposition-in"):
            return self.disposition in words.split()
        if words := node.get("data-programme-in"):
            return self.programme in words.split()
        return self._answer(node, node.get("data-question", ""), node.get("data-operator", ""))

    def _answer(self, node: Element, question: str, operator: str) -> Truth:
        asked = text_of(the(self.book.questions[question].find("h4")))
        said = text_of(node)
        if not said.startswith(f"{asked} ({question}): "):
            raise Misprint(f"`{said}` does not ask {question}")
        said = said.removeprefix(f"{asked} ({question}): ")
        if operator != "in" and not said.startswith(self.book.phrases[operator]):
            raise Misprint(f"`{said}` stands for {operator}")
        if question not in self.values:
            if not self._asked(question):
                return False
            return {"unknown": True, "answered": False}.get(operator)
        value = self.values[question]
        if operator in ("unknown", "answered"):
            return operator == "answered"
        wanted = self._wanted(node, question)
        if operator == "in":
            return any(each in wanted for each in (value if isinstance(value, tuple) else (value,)))
        assert isinstance(value, int | Decimal)
        (bound,) = wanted
        assert isinstance(bound, Decimal)
        match operator:
            case "at_least":
                return value >= bound
            case "at_most":
                return value <= bound
            case "above":
                return value > bound
        return value < bound

    def _wanted(self, node: Element, question: str) -> list[str | Decimal]:
        """The options and numbers as they are printed, which must be those of the attributes."""
        labels = self.book.labels(question)
        options: list[str | Decimal] = [labels[text_of(each)] for each in node.findall("q")]
        options += [Decimal((each.text or "").replace(",", ".")) for each in node.findall("b")]
        written = node.get("data-values", "").split()
        if [str(each) for each in options] != written:
            raise Misprint(f"{options} is printed for {written}")
        return options

    def _asked(self, question: str) -> bool:
        """Whether it has to be asked: not when its own or its group's condition certainly does not hold."""
        entry = self.book.questions[question]
        gates = [self.book.condition(entry, "asked-when")]
        if group := entry.get("data-in-group"):
            gates.append(self.book.condition(self.book.groups[group], "asked-when"))
        return all(gate is None or self.holds(gate) is not False for gate in gates)
