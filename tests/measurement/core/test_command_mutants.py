"""Commands on experiments answer mutants of their files and arguments, or name what is wrong with them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.measurement.core.mutants import COMMANDS, case, judged, lacking, mutate_arguments, mutate_file

#: So many of each command; designs search, which takes longer.
COUNTS = {"analyze_geo": 24, "design_geo": 10}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_mutant_is_a_crash_or_no_number(command, tmp_path):
    answered = named = 0
    for seed in range(COUNTS.get(command, 30)):
        rng = np.random.default_rng([seed, COMMANDS.index(command)])
        folder = tmp_path / str(seed)
        folder.mkdir()
        arguments = case(rng, folder, command)
        for file in sorted(folder.iterdir()):
            if rng.random() < 0.7:
                mutate_file(rng, file)
        if rng.random() < 0.5:
            arguments = mutate_arguments(rng, arguments)
        answer, problem = judged(command, arguments)
        answered += answer is not None
        named += problem is not None
    assert answered + named > 0
    # Else the mutants are all too broken to be read, or none is broken.
    assert answered
    assert command in ("design_geo", "design_switchback") or named


@pytest.mark.parametrize("seed", range(12))
def test_what_a_panel_lacks_is_told_or_refused(seed, tmp_path):
    rng = np.random.default_rng([seed, 99])
    kept = (
        "--date",
        "--geo",
        "--outcome",
        "--start",
        "--placebos",
        "--treated",
        "--assignment",
        "--duplicates",
        "--json",
    )
    file, *options = case(rng, tmp_path, "analyze_geo")
    arguments = [file, *(word for word in options if word.startswith(kept))]
    file = tmp_path / "panel.csv"
    lines = file.read_text(encoding="utf-8").split("\n")
    place = int(rng.integers(1, len(lines)))
    unit, day, _, spend = lines[place].split(",")
    if rng.random() < 0.5:
        lines[place] = f"{unit},{day},{rng.choice(['', 'NA'])},{spend}"
    else:
        lines.pop(place)
    if rng.random() < 0.5:
        lines.append("m9,1,3,0")
    file.write_text("\n".join(lines), encoding="utf-8")
    assert lacking(file, [unit]) == [(unit, day)]
    answer, problem = judged("analyze_geo", arguments)
    told = " ".join(answer["warnings"]) if answer else problem["detail"]
    assert unit in told or "share unit and period" in told, told
