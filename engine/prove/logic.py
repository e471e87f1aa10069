"""Formulas about one patient, folded while they are built: what is certain at once never reaches the solver."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import z3

Formula: TypeAlias = bool | z3.BoolRef
"""True, False, or a formula of the solver."""


def both(parts: Iterable[Formula]) -> Formula:
    """Whether all parts hold; true of none.

    >>> both([True, True]), both([]), both([z3.Bool("a"), False])
    (True, True, False)
    """
    kept: list[z3.BoolRef] = []
    for part in parts:
        if part is False:
            return False
        if part is not True:
            kept.append(part)
    return _joined(z3.Z3_mk_and, kept) if kept else True


def either(parts: Iterable[Formula]) -> Formula:
    """Whether one part holds; false of none.

    >>> either([False, False]), either([]), either([z3.Bool("a"), False])
    (False, False, a)
    """
    kept: list[z3.BoolRef] = []
    for part in parts:
        if part is True:
            return True
        if part is not False:
            kept.append(part)
    return _joined(z3.Z3_mk_or, kept) if kept else False


def no(part: Formula) -> Formula:
    """Whether a part does not hold."""
    if isinstance(part, bool):
        return not part
    return z3.BoolRef(z3.Z3_mk_not(part.ctx.ref(), part.as_ast()), part.ctx)


def _joined(join: Callable[..., object], parts: list[z3.BoolRef]) -> z3.BoolRef:
    """`z3.And` and `z3.Or` without their conversions, which took most of the time of an encoding."""
    if len(parts) == 1:
        return parts[0]
    context = parts[0].ctx
    terms = (z3.Ast * len(parts))(*(part.as_ast() for part in parts))
    return z3.BoolRef(join(context.ref(), len(parts), terms), context)


def differ(one: Formula, other: Formula) -> Formula:
    """Whether exactly one of two holds; false at once where both are the same formula."""
    if isinstance(one, bool):
        return no(other) if one else other
    if isinstance(other, bool):
        return no(one) if other else one
    return False if one.eq(other) else z3.Xor(one, other)


def enough(least: int, parts: Iterable[Formula]) -> Formula:
    """Whether `least` or more of the parts hold.

    >>> enough(2, [True, False, True]), enough(2, [True, z3.Bool("a")]), enough(0, [])
    (True, a, True)
    """
    kept: list[z3.BoolRef] = []
    for part in parts:
        if part is True:
            least -= 1
        elif part is not False:
            kept.append(part)
    if least <= 0:
        return True
    if least > len(kept):
        return False
    if least == 1:
        return either(kept)
    return both(kept) if least == len(kept) else z3.AtLeast(*kept, least)


def term(part: Formula) -> z3.BoolRef:
    """The formula as the solver takes it."""
    return z3.BoolVal(part) if isinstance(part, bool) else part
