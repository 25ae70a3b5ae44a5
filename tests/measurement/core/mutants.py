"""Mutants of the files and arguments of commands on experiments, and what every one of them must come to."""

from __future__ import annotations

import io
import json
import warnings

import numpy as np
from django.core.management import call_command
from django.core.management.base import CommandError

#: What hands, spreadsheets and exports put where a figure or a name should be.
CELLS = (
    "", " ", "NA", "nan", "inf", "-inf", "1e308", "-1e308", "1e-320", "1e160", "0", "-5", "5.234", "5,234", "1.234,5",
    "1'234", "(12)", "12 34", "$7", "€7", "abc", "None", "2026-02-30", "2026-01-01", "00:00", "1_000", "\x00",
    "\ufeff", '"', "=1+1", "9" * 40, "treated", "control", "1", "2", "york", "YORK", "é" * 130, "0x10", "true",
)  # fmt: skip
AMOUNTS = ("", "NA", "0", "-5", "1e9", "-1e9", "1e80", "1e-80", "1e160", "5.234", "(12)", "$7", "0.0001", "100", "7")
ACTS = (
    "cell", "cell", "number", "number", "number", "drop", "drop", "twice", "cut", "bytes", "column", "end",
    "separator", "constant",
)  # fmt: skip
NUMBERS = (
    "0",
    "-1",
    "1",
    "2",
    "3",
    "7",
    "10",
    "24",
    "25",
    "400",
    "0.5",
    "0.05",
    "1e9",
    "1e-9",
    "nan",
    "inf",
    "-inf",
    "",
)
MOST = {"--placebos": 60, "--windows": 12, "--keep": 6, "--periods": 60, "--carryover": 30, "--top": 50}


def panel_text(rng, units=10, periods=26, cost=True):
    level = np.exp(rng.normal(4.0, 0.7, units))
    rows = ["geo,day,sales,spend"]
    for unit in range(units):
        for day in range(periods):
            sold = level[unit] * (1 + 0.1 * np.sin(day)) * np.exp(rng.normal(0, 0.05))
            on = unit < 2 and day >= periods - 6
            rows.append(f"m{unit},{day + 1},{sold * (1 + 0.2 * on):.2f},{5 * on if cost else 1}")
    return "\n".join(rows)


def assignment_text(units=10):
    rows = [f"m{unit},{'treated' if unit % 2 == 0 else 'control'},p{unit // 2}" for unit in range(units)]
    return "\n".join(["geo,group,pair", *rows])


def log_text(rng, periods=40):
    rows = [f"{day + 1},{rng.integers(0, 2)},{rng.normal(50, 5):.2f}" for day in range(periods)]
    return "\n".join(["period,on,sales", *rows])


def users_text(rng, users=40):
    rows = [f"u{one},{one % 2},{rng.normal(20, 4):.2f},{rng.normal(20, 4):.2f},s{one // 4}" for one in range(users)]
    return "\n".join(["user,arm,before,spend,store", *rows])


def summary_text(rng):
    return json.dumps({
        "control": {"n": 3400, "sum": 1396.8, "sum_squares": 52377.9},
        "treatment": {"n": 3461, "sum": 2422.7, "sum_squares": 134698.2}, "alpha": 0.05, "method": "delta",
    })  # fmt: skip


def case(rng, folder, command):
    """Arguments of a run of a command, its files written to `folder`."""
    write = lambda name, text: _written(folder / name, text)  # noqa: E731
    if command == "analyze_geo":
        arguments = [write("panel.csv", panel_text(rng)), "--date=day", "--geo=geo", "--outcome=sales", "--start=21",
                     "--placebos=39", "--json"]  # fmt: skip
        arguments += ["--cost=spend"] if rng.random() < 0.5 else []
        if rng.random() < 0.4:
            arguments += [f"--assignment={write('assignment.csv', assignment_text())}"]
        else:
            arguments += ["--treated=m0,m1"]
        arguments += _some(rng, "--end=24", "--cooldown=2", "--alpha=0.1", "--seed=3", "--exclude=m8", "--missing=zero",
                           "--missing=zero_inside", "--missing=refuse",
                           "--no-unit-effects", "--randomised")  # fmt: skip
        methods = ("auto", "sc_indexed", "sc", "asc", "sdid", "did", "log_did", "tbr", "sc_t", "pairs", "trimmed_match")
        return [*arguments, f"--method={rng.choice(methods)}", f"--duplicates={rng.choice(['refuse', 'sum'])}"]
    if command == "design_geo":
        return [write("panel.csv", panel_text(rng, 8, 50)), "--date=day", "--geo=geo", "--outcome=sales",
                "--duration=7", "--windows=7", "--keep=2", "--placebos=19", "--treated-counts=2", "--json",
                *_some(rng, "--effect=0,0.1", "--include=m0", "--exclude=m7", "--kind=go_dark", "--kind=heavy_up",
                       "--alpha=0.1", "--power=0.8", "--treated-share=0,0.5", "--holdout-share=0,0.9", "--change=0.5",
                       "--cost-per-incremental=2", "--budget=1000", "--cost=spend", "--apart", "--seed=2")]  # fmt: skip
    if command == "analyze_switchback":
        return [
            write("log.csv", log_text(rng)),
            "--period=period",
            "--treated=on",
            "--outcome=sales",
            f"--carryover={rng.integers(0, 3)}",
            "--json",
            *_some(rng, "--randomise-at=1,5,9", "--estimator=horvitz_thompson", "--alpha=0.1", "--seed=2"),
        ]
    if command == "design_switchback":
        return [f"--periods={rng.integers(2, 30)}", f"--carryover={rng.integers(0, 4)}", "--seed=1", "--json",
                *_some(rng, "--first-day=2026-01-05")]  # fmt: skip
    if command == "power":
        kind = [["--test=means", "--effect=0.5"], ["--test=proportions", "--p1=0.1", "--p2=0.12"]][rng.integers(0, 2)]
        kind = [*kind, *_some(rng, "--n=500", "--rho=0.5", "--variance=unpooled")]
        return [*kind, "--sd=1", "--alpha=0.05", "--power=0.8", "--ratio=1", "--cluster-size=2", "--icc=0.1", "--json"]
    if command == "analyze_units":
        more = _some(rng, "--cluster=store", "--covariate=before", "--stratum=store", "--method=lin", "--method=cuped",
                     "--method=bootstrap", "--errors=hc3", "--treated-share=0.5", "--alpha=0.1")  # fmt: skip
        return [write("users.csv", users_text(rng)), "--outcome=spend", "--treated=arm", *more, "--json"]
    looks = [[], ["--looks=0.5,1", "--look=1"]][rng.integers(0, 2)]
    more = _some(rng, "--alpha=0.1", "--method=fieller", "--spending=pocock")
    return [write("summary.json", summary_text(rng)), "--planned-users=20000", *looks, *more, "--json"]


COMMANDS = (
    "analyze_geo", "design_geo", "design_switchback", "analyze_switchback", "power", "analyze_ab", "analyze_units",
)  # fmt: skip


def _some(rng, *options):
    """Few of the options."""
    return [one for one in options if rng.random() < 0.2]


def _written(path, text):
    path.write_text(text, encoding="utf-8")
    return str(path)


def mutate_file(rng, path):
    """Change a file in one or two places."""
    text = path.read_text(encoding="utf-8")
    for _ in range(rng.integers(1, 3)):
        lines = text.split("\n")
        place = int(rng.integers(0, len(lines)))
        act = rng.choice(ACTS)
        parts = lines[place].split(",")
        if act in ("cell", "number"):
            at = int(rng.integers(0, len(parts))) if act == "cell" else len(parts) - 1
            parts[at] = str(rng.choice(CELLS if act == "cell" else AMOUNTS))
            lines[place] = ",".join(parts)
        elif act == "drop" and len(lines) > 2:
            lines.pop(place)
        elif act == "twice":
            lines.insert(place, lines[place])
        elif act == "cut":
            lines[place] = lines[place][: int(rng.integers(0, len(lines[place]) + 1))]
        elif act == "bytes":
            at = int(rng.integers(0, len(lines[place]) + 1))
            lines[place] = lines[place][:at] + str(rng.choice(list(";,\"\t|{}[]:.'-é\u00a0"))) + lines[place][at:]
        elif act == "column":
            at, value = int(rng.integers(0, len(parts))), str(rng.choice(CELLS))
            lines = [
                lines[0],
                *(",".join([*(cells := line.split(","))[:at], value, *cells[at + 1 :]]) for line in lines[1:]),
            ]
        elif act == "constant":
            # One figure, or one unit's, all along.
            key, value = parts[0], str(rng.choice(AMOUNTS))
            whole = rng.random() < 0.5
            at = int(rng.integers(2, max(3, len(parts))))
            lines = [
                ",".join([*(cells := line.split(","))[:at], value, *cells[at + 1 :]])
                if number and (whole or line.split(",")[0] == key) else line
                for number, line in enumerate(lines)
            ]  # fmt: skip
        elif act == "end":
            lines = lines[: max(1, place)]
        elif act == "separator":
            lines = [line.replace(",", str(rng.choice([";", "\t"]))) for line in lines]
        text = "\n".join(lines)
    path.write_text(text, encoding="utf-8", errors="replace")


def lacking(path, units):
    """Cells of the sales of a panel file that are empty or have no row, as `(unit, day)`, of some units."""
    rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    told = {}
    for row in rows:
        if len(row) > 2:
            told.setdefault((row[0].strip(), row[1].strip()), []).append(row[2].strip().casefold())
    days = {day for _, day in told}
    empty = ("", "na", "n/a", "none", "null")
    return [
        (unit, day)
        for unit in units
        for day in days
        if (unit, day) not in told or any(cell in empty for cell in told[unit, day])
    ]


def mutate_arguments(rng, arguments):
    """Change one option to another value, or leave it out."""
    places = [place for place, word in enumerate(arguments) if "=" in word and not word.endswith(".csv")]
    if not places:
        return arguments
    place = int(rng.choice(places))
    name, _, value = arguments[place].partition("=")
    if rng.random() < 0.1:
        return [*arguments[:place], *arguments[place + 1 :]]
    new = str(rng.choice([*NUMBERS, value, f"{value},{value}", "x", "m0", "2026-01-05", "pairs"]))
    if name in MOST and new.replace(".", "").isdigit() and float(new) > MOST[name]:
        new = str(MOST[name])
    return [*arguments[:place], f"{name}={new}", *arguments[place + 1 :]]


def _no_constant(word):
    raise AssertionError(f"{word} in JSON")


def judged(command, arguments):
    """`(answer, None)`, `(None, problem)` or `(None, None)` where an argument was refused; else an AssertionError."""
    out, errors = io.StringIO(), io.StringIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            call_command(command, *arguments, stdout=out, stderr=errors)
    except CommandError:
        return None, None
    except SystemExit as stopped:
        code = stopped.code
    else:
        code = 0
    if code:
        problem = json.loads(errors.getvalue())
        assert (code, out.getvalue()) == (2, "")
        assert problem["detail"], problem
        assert problem["fix"], problem
        return None, problem
    return json.loads(out.getvalue(), parse_constant=_no_constant), None
