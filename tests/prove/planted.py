"""Versions with one thing changed, and what each changes: of the smallest ruleset exactly, of the real one by its name.

Each line of the first is an aspect, its old and new value and the direction; `partial` shows only while answers are
missing.
"""

from __future__ import annotations

from tests.rules.bicycle import Change

MAIN, TEXTS = "ruleset.yaml", "texts.nl.yaml"
GRINDING = """  S02:
    when: {all: [{noise: grind}, {unless: {rides_better: yes}}, {not: {tyre_bar: {at_most: 1}}}, {surely: {answered: bike_age}}]}
    then: {disposition: same_day_gp, call: gp_today, within_hours: 24}
    because: worn
    evidence: [manual, shop_policy]
"""  # noqa: E501 (a piece of a file, to the letter)
TODAY = "{disposition: same_day_gp, call: gp_today, within_hours: 24}"

SMALL: dict[str, tuple[list[Change], str]] = {
    "threshold": (
        [(MAIN, "low_bar: {value: 2.5", "low_bar: {value: 2")],
        """
        disposition physio -> self_care laxer
        ceiling physio -> self_care laxer partial
        settled settled -> needs_answers other partial
        settled needs_answers -> settled other partial
        call clinic -> none laxer
        guidance offered -> none other
        programme pilates -> either other
        programme pilates -> needs_answers other partial
        programme needs_answers -> either other partial
        rule S01 holds -> does_not_hold other
        open rule S01 holds -> does_not_hold other partial
        """,
    ),
    "operand dropped": (
        [(MAIN, "any: [{brakes_fail: yes}, {unknown: brakes_fail}]", "any: [{brakes_fail: yes}]")],
        """
        disposition emergency -> self_care laxer
        disposition emergency -> physio laxer
        disposition emergency -> same_day_gp laxer
        ceiling emergency -> physio laxer partial
        ceiling emergency -> same_day_gp laxer partial
        settled settled -> needs_answers other partial
        call gp_or_hap_now -> gp_today laxer
        call gp_or_hap_now -> clinic laxer
        call gp_or_hap_now -> none laxer
        within_hours 1 -> 24 laxer
        within_hours 1 -> none laxer
        guidance none -> offered other
        programme none_yet -> pilates other
        programme none_yet -> either other
        programme none_yet -> needs_answers other partial
        advice ADV-001 hidden -> shown other
        advice ADV-002 hidden -> shown other
        rule E01 holds -> does_not_hold other
        """,
    ),
    "rule removed": (
        [(MAIN, GRINDING, "")],
        """
        disposition same_day_gp -> self_care laxer
        disposition same_day_gp -> physio laxer
        ceiling same_day_gp -> self_care laxer partial
        ceiling same_day_gp -> physio laxer partial
        settled settled -> needs_answers other partial
        settled needs_answers -> settled other partial
        call gp_today -> clinic laxer
        call gp_today -> none laxer
        within_hours 24 -> none laxer
        guidance none -> offered other
        programme none_yet -> pilates other
        programme none_yet -> either other
        programme none_yet -> needs_answers other partial
        programme needs_answers -> pilates other partial
        programme needs_answers -> either other partial
        advice ADV-001 hidden -> shown other
        advice ADV-002 hidden -> shown other
        rule S02 holds -> does_not_hold other
        open rule S02 holds -> does_not_hold other partial
        """,
    ),
    "call changed": (
        [(MAIN, TODAY, "{disposition: same_day_gp, call: gp_or_hap_now, within_hours: 12}")],
        """
        call gp_today -> gp_or_hap_now safer
        within_hours 24 -> 12 safer
        """,
    ),
    "advice hidden": (
        [(MAIN, "hide_when: {noise: click}", "hide_when: {noise: {in: [click, grind]}}")],
        """
        advice ADV-001 shown -> hidden other
        """,
    ),
    "row swapped": (
        [
            (
                MAIN,
                "{rule: S01}, then: pilates",
                "{rule: S01}, then: medical_fitness",
            )
        ],
        """
        programme pilates -> medical_fitness other
        advice ADV-002 shown -> hidden other
        """,
    ),
    "question added": (
        [
            (MAIN, "  rides_better:", "  rusty: {type: yes_no}\n  rides_better:"),
            (MAIN, "{unknown: brakes_fail}]", "{unknown: brakes_fail}, {rusty: yes}]"),
            (TEXTS, "  rides_better:", "  rusty: {text: Is hij verroest?}\n  rides_better:"),
        ],
        """
        disposition self_care -> emergency safer
        disposition physio -> emergency safer
        disposition same_day_gp -> emergency safer
        ceiling self_care -> emergency safer partial
        ceiling physio -> emergency safer partial
        ceiling same_day_gp -> emergency safer partial
        settled settled -> needs_answers other partial
        settled needs_answers -> settled other partial
        call gp_today -> gp_or_hap_now safer
        call clinic -> gp_or_hap_now safer
        call none -> gp_or_hap_now safer
        within_hours 24 -> 1 safer
        within_hours none -> 1 safer
        guidance offered -> none other
        programme pilates -> none_yet other
        programme pilates -> needs_answers other partial
        programme either -> none_yet other
        programme either -> needs_answers other partial
        programme needs_answers -> none_yet other partial
        advice ADV-001 shown -> hidden other
        advice ADV-002 shown -> hidden other
        rule E01 does_not_hold -> holds other
        open rule E01 does_not_hold -> holds other partial
        """,
    ),
    "option added": (
        [
            (MAIN, "[none, click, grind], group", "[none, click, grind, howl], group"),
            (TEXTS, "grind: Geschuur", "grind: Geschuur, howl: Gehuil"),
            (MAIN, "{noise: {in: [click, grind]}}", "{noise: {in: [click, grind, howl]}}"),
        ],
        """
        disposition self_care -> physio safer
        disposition same_day_gp -> self_care laxer
        disposition same_day_gp -> physio laxer
        ceiling self_care -> physio safer partial
        ceiling same_day_gp -> self_care laxer partial
        ceiling same_day_gp -> physio laxer partial
        settled settled -> needs_answers other partial
        settled needs_answers -> settled other partial
        call gp_today -> clinic laxer
        call gp_today -> none laxer
        call none -> clinic safer
        within_hours 24 -> none laxer
        guidance none -> offered other
        programme none_yet -> pilates other
        programme none_yet -> either other
        programme none_yet -> needs_answers other partial
        programme either -> pilates other
        programme either -> needs_answers other partial
        programme needs_answers -> pilates other partial
        programme needs_answers -> either other partial
        advice ADV-001 hidden -> shown other
        advice ADV-002 hidden -> shown other
        rule S01 does_not_hold -> holds other
        rule S02 holds -> does_not_hold other
        open rule S01 does_not_hold -> holds other partial
        open rule S02 holds -> does_not_hold other partial
        """,
    ),
    "refusal added": (
        [
            (MAIN, "refuse:\n", "refuse:\n  silent_and_loose: {all: [{noise: none}, {loose_parts: chain}]}\n"),
            (TEXTS, "refuse: {", "refuse: {silent_and_loose: Dat kan niet, "),
        ],
        """
        refused decided -> refused other
        """,
    ),
    "range": (
        [
            (
                MAIN,
                "bike_age: {type: integer, unit: years, range: [0, 80]}",
                "bike_age: {type: integer, unit: years, range: [0, 70]}",
            )
        ],
        """
        refused decided -> refused other
        """,
    ),
    "disposition lowered": (
        [(MAIN, TODAY, "{disposition: gp_within_days, call: gp_today, within_hours: 24}")],
        """
        disposition same_day_gp -> gp_within_days laxer
        ceiling same_day_gp -> gp_within_days laxer partial
        """,
    ),
    "asked_when": (
        [(MAIN, "asked_when: {loose_parts: chain}", "asked_when: {loose_parts: saddle}")],
        """
        disposition self_care -> same_day_gp safer partial
        disposition physio -> same_day_gp safer partial
        disposition same_day_gp -> self_care laxer partial
        disposition same_day_gp -> physio laxer partial
        settled settled -> needs_answers other partial
        settled needs_answers -> settled other partial
        call gp_today -> clinic laxer partial
        call gp_today -> none laxer partial
        call clinic -> gp_today safer partial
        call none -> gp_today safer partial
        within_hours 24 -> none laxer partial
        within_hours none -> 24 safer partial
        guidance none -> offered other partial
        guidance offered -> none other partial
        programme none_yet -> needs_answers other partial
        programme needs_answers -> none_yet other partial
        rule S02 holds -> does_not_hold other partial
        rule S02 does_not_hold -> holds other partial
        """,
    ),
    "days": (
        [(MAIN, "physio: {valid_days: 30,", "physio: {valid_days: 40,")],
        """
        valid_days physio 30 -> 40 laxer
        """,
    ),
    "words": (
        [(TEXTS, "SN-01: Bel bij een losse ketting", "SN-01: Bel ons")],
        """
        """,
    ),
}
"""By name the changes to the smallest ruleset, and what the comparison tells."""

REAL: dict[str, list[tuple[str, str]]] = {
    "a parameter": [("guidance_recommend_from_weeks: {value: 3,", "guidance_recommend_from_weeks: {value: 4,")],
    "a threshold": [
        ("{age: {at_least: 50}}, {finding: bone_risk}]}]}", "{age: {at_least: 60}}, {finding: bone_risk}]}]}")
    ],
    "an operand dropped": [("      - {bladder_incontinence_new: yes}\n      - {bowel", "      - {bowel")],
    "a disposition lowered": [
        (
            "{new_neuro_outside_legs: yes}\n    then: {disposition: emergency, call: 112, within_hours: 1}",
            "{new_neuro_outside_legs: yes}\n    then: {disposition: same_day_gp, call: gp_today, within_hours: 24}",
        )
    ],
    "a call": [
        (
            "{finding: recent_major_trauma}\n    then: {disposition: emergency, call: 112,",
            "{finding: recent_major_trauma}\n    then: {disposition: emergency, call: gp_or_hap_now,",
        )
    ],
    "hours": [
        (
            "{wound_problem: yes}\n    then: {disposition: same_day_gp, call: operating_hospital, within_hours: 24}",
            "{wound_problem: yes}\n    then: {disposition: same_day_gp, call: operating_hospital, within_hours: 12}",
        )
    ],
    "guidance": [
        (
            "{pregnant: yes}\n    then: {disposition: physio, call: clinic, within_hours: 168, guidance: recommended}",
            "{pregnant: yes}\n    then: {disposition: physio, call: clinic, within_hours: 168, guidance: offered}",
        )
    ],
    "a text hidden": [
        (
            "ADV-003: {kind: reassurance, when: {disposition: {in: [self_care, physio]}}}",
            "ADV-003: {kind: reassurance, when: {disposition: {in: [self_care]}}}",
        )
    ],
    "a safety net shown to fewer": [
        ("SN-06: {when: {any: [{age: {at_least: 75}}", "SN-06: {when: {any: [{age: {at_least: 80}}")
    ],
    "a row": [("    when: {age: {below: 18}}\n    then: none_yet", "    when: {age: {below: 18}}\n    then: either")],
    "a question asked of fewer": [
        (
            "{any: [{sex: m}, {age: {above: 55}}, {age: {below: 11}}]}",
            "{any: [{sex: m}, {age: {above: 50}}, {age: {below: 11}}]}",
        )
    ],
    "a refusal": [
        (
            "{all: [{leg_pain: none}, {answered: leg_pain_sides}]}",
            "{all: [{leg_pain: none}, {any: [{answered: leg_pain_sides}, {leg_numbness: both}]}]}",
        )
    ],
    "unless for not": [
        (
            "{unless: {duration_weeks: {above: 6}}}]}\n    then: {disposition: gp",
            "{not: {duration_weeks: {above: 6}}}]}\n    then: {disposition: gp",
        )
    ],
}
"""By name the changes to the real ruleset."""
