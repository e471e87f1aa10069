"""Every problem code that there is: the one registry, and a type, so that no check can give a code that is not here.

What a code means to an author stands in `engine/author/explanations.yaml`; `tests/data/invalid/` shows each one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

Code: TypeAlias = Literal[
    # the file as such
    "bad-encoding",
    "empty-document",
    "file-missing",
    "file-unreadable",
    "several-documents",
    "too-deep",
    "too-large",
    "yaml-anchor",
    "yaml-key",
    "yaml-syntax",
    "yaml-tag",
    "duplicate-key",
    # keys and single values
    "bad-date",
    "bad-id",
    "bad-option",
    "bad-version",
    "missing-key",
    "missing-value",
    "outside-scale",
    "reserved-id",
    "unknown-key",
    "wrong-type",
    # conditions
    "condition-keys",
    "count-outside-list",
    "empty-list",
    "misplaced-condition",
    "misplaced-word",
    "threshold-outside-range",
    "unknown-as-value",
    "unknown-operator",
    "unknown-option",
    # names
    "duplicate-id",
    "rules-out-of-order",
    "unknown-advice",
    "unknown-evidence",
    "unknown-finding",
    "unknown-group",
    "unknown-language",
    "unknown-parameter",
    "unknown-question",
    "unknown-rule",
    "unknown-safety-net",
    "unused-evidence",
    "unused-finding",
    "unused-parameter",
    "unused-question",
    # questions and parameters
    "asked-when-cycle",
    "bad-range",
    "key-not-for-type",
    "missing-options",
    "missing-range",
    "parameter-outside-range",
    "yes-is-good-in-group",
    # rules and tables
    "bad-period",
    "claim-incomplete",
    "disposition-missing",
    "evidence-missing",
    "finding-cycle",
    "programme-not-total",
    "reassurance-not-hidden",
    "rule-below-default",
    "safety-net-missing",
    "when-unknown-missing",
    # what conditions come to
    "always-true",
    "contradicting-advice",
    "never-asked",
    "never-true",
    "repeated-rule",
    "unreachable-row",
    # texts
    "hard-to-read",
    "hard-word",
    "language-differs",
    "sentence-too-long",
    "text-missing",
    "text-too-long",
    "unknown-text",
    # signatures
    "approval-invalid",
    "approval-outdated",
    "approval-unknown-key",
    "certificate-invalid",
]

CODES: Final[tuple[Code, ...]] = get_args(Code)
"""Every code, by kind and name."""

UNKNOWN: Final[Mapping[str, Code]] = {
    "advice": "unknown-advice",
    "evidence": "unknown-evidence",
    "finding": "unknown-finding",
    "group": "unknown-group",
    "parameter": "unknown-parameter",
    "question": "unknown-question",
    "rule": "unknown-rule",
    "safety-net": "unknown-safety-net",
}
"""The code of a name that nobody defined, by what it should name."""

UNUSED: Final[Mapping[str, Code]] = {
    "evidence": "unused-evidence",
    "finding": "unused-finding",
    "parameter": "unused-parameter",
    "question": "unused-question",
}
"""The code of what is defined and never used."""
