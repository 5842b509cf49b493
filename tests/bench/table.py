"""
The table of `make bench`: what was measured, against what, and what misses its goal.

A goal is where the house must go; a floor is what no release may fall below. Rows without a
baseline have a value instead of a ratio.
"""
import dataclasses


@dataclasses.dataclass
class Line:
    row: str
    what: str
    figure: str
    baseline: str
    ours: str
    value: float
    goal: str = ""  # "<= 1.0"
    floor: str = ""
    disturbed: bool = False
    note: str = ""  # below the table
    failed: bool = False

    def verdict(self):
        if self.failed:
            return "not measured"
        if self.disturbed:
            return "disturbed"
        if not _holds(self.value, self.floor):
            return "BELOW FLOOR"
        return "" if not self.goal else "met" if _holds(self.value, self.goal) else "missed"

    def cells(self):
        return [self.row, self.what, self.figure, self.baseline, self.ours, f"{self.value:.2f}", self.floor,
                self.goal, self.verdict()]


HEAD = ["#", "what", "figure", "baseline", "ours", "ratio or value", "floor", "goal", ""]


def _holds(value, bound):
    if not bound:
        return True
    operator, limit = bound.split()
    return value <= float(limit) if operator == "<=" else value >= float(limit)


def render(lines):
    rows = [HEAD, *(line.cells() for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    rows.insert(1, ["-" * width for width in widths])
    return "".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |\n" for row in rows)


def summary(lines):
    def names(verdict):
        return ", ".join(f"{line.row} ({line.figure})" for line in lines if line.verdict() == verdict)

    said = [("Below its floor", names("BELOW FLOOR")), ("Misses its goal", names("missed")),
            ("Not judged, the machine was too busy", names("disturbed")), ("Not measured", names("not measured"))]
    notes = [f"{line.row}, {line.what}: {line.note}.\n" for line in lines if line.note]
    return "".join(notes + [f"{words}: {which}.\n" for words, which in said if which])
