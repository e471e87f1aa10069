"""An attacker who knows everything that is published, and subtracts with a solver: what can a small count still be?"""

from __future__ import annotations

from collections.abc import Iterator

import z3

from engine.population.impact import Class
from engine.population.impact_told import ImpactTold
from engine.population.protecting import GroupsTold, Told
from engine.record.feedback import FEWEST


def betrayed(it: ImpactTold) -> Iterator[str]:
    """Every small count that cannot be each number below FEWEST any more, for somebody who knows all the others."""
    if not it.told:
        return
    solver = z3.Solver()
    rows = {place: z3.Int(f"class {place}") for place in it.classes}
    small = {f"class {place}": rows[place] for place, told in it.classes.items() if told.small}
    solver.add([_within(rows[place], told) for place, told in it.classes.items()])
    solver.add(z3.Sum([*rows.values()]) == it.rows)
    for column, table in it.groups.items():
        if table is not None:
            small |= _groups(solver, column, table, it, rows)
    assert solver.check() == z3.sat, "what is published contradicts itself"
    for name, cell in small.items():
        for number in (1, FEWEST - 1):
            if solver.check(cell == number) != z3.sat:
                yield f"{name} cannot be {number}"


def _within(cell: z3.ArithRef, told: Told) -> z3.BoolRef:
    return z3.And(cell >= 0, told.low <= cell, cell <= told.high)


def _groups(
    solver: z3.Solver, column: str, table: GroupsTold, it: ImpactTold, rows: dict[Class, z3.ArithRef]
) -> dict[str, z3.ArithRef]:
    """What a table of groups says; its small counts."""
    small: dict[str, z3.ArithRef] = {}
    lines: list[tuple[str, int, dict[str, Told], Told]] = [
        (f"{column} {group}", table.people[group], dict(table.by_kind[group]), table.together[group])
        for group in table.people
    ]
    lines.append((f"{column} the rest", table.rest_people, dict(table.rest_by_kind), table.rest_together))
    cells: dict[str, list[z3.ArithRef]] = {kind: [] for kind in table.kinds}
    for name, people, kinds, together in lines:
        line = {kind: z3.Int(f"{name} {kind}") for kind in kinds}
        other = z3.Int(f"{name} together")
        solver.add([_within(line[kind], told) for kind, told in kinds.items()])
        solver.add(_within(other, together), z3.Sum([*line.values(), other]) == people)
        small |= {f"{name} {kind}": line[kind] for kind, told in kinds.items() if told.small and "the rest" not in name}
        for kind, cell in line.items():
            cells[kind].append(cell)
    for kind, column_cells in cells.items():
        of_kind = [cell for place, cell in rows.items() if place.kind.value == kind]
        solver.add(z3.Sum(column_cells) == z3.Sum(of_kind))
    return small
