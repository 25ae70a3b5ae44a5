"""What the placebos of a reading say in words: one text for the page, the picture, the PDF and the CSV.

The p of placebo in space counts placebo assignments whose statistic is at least as extreme as the test's. It is no
count of lifts: the statistic is scaled by how well each assignment was fitted before the test, no effect is taken off,
and where a hypothesis further from the estimate is rejected less than no effect at all, it is that one's count.
"""

from __future__ import annotations

from measurement.core.answers import PanelReading
from measurement.core.words import count_of, p_text

#: Key of `PanelReading.details`: how many placebo assignments are at least as extreme, of `DRAWN` of them.
AS_EXTREME = "as_extreme"
DRAWN = "placebos"
#: How the procedure of those whose p is such a count is called.
_IN_SPACE = "placebo in space"
#: Methods whose placebos all count alike.
_UNSCALED = ("log_did",)


def counted(p_value: float, drawn: int) -> dict[str, int]:
    """Details of a finding by placebo in space: (as extreme + 1) / (drawn + 1) = p."""
    return {DRAWN: drawn, AS_EXTREME: round(p_value * (drawn + 1)) - 1}


def as_extreme(reading: PanelReading) -> tuple[int, int] | None:
    """How many placebo assignments make its p, and of how many; None where p is of another procedure."""
    count, drawn = reading.details.get(AS_EXTREME), reading.details.get(DRAWN)
    if count is None and isinstance(drawn, int) and _IN_SPACE in reading.procedure:
        # Readings of before the count was kept: their p is (count + 1) / (drawn + 1), too.
        count = counted(reading.p_value, drawn)[AS_EXTREME]
    return (int(count), int(drawn)) if isinstance(count, int) and isinstance(drawn, int) else None


def scaled_words(reading: PanelReading) -> str:
    """What is done to the placebos before they are counted."""
    return "" if reading.method in _UNSCALED else ", each scaled by its own noise"


def beyond_words(reading: PanelReading) -> str:
    """The count that makes p, and what the picture of lifts shows instead; empty where there are no placebos."""
    found = as_extreme(reading)
    if found is not None:
        count, drawn = found
        verb = "is" if count == 1 else "are"
        return (
            f"{count} of {count_of(drawn, 'placebo')} {verb} at least as extreme as the test{scaled_words(reading)}: "
            f"p = ({count} + 1) / ({drawn} + 1), {p_text(reading.p_value)}. "
            "The histogram shows their lifts as they are, with the effect of the test taken off"
        )
    if not len(reading.placebos):
        return ""
    return (
        f"Lifts of the same comparison in {count_of(len(reading.placebos), 'stretch')} before the test, as long as it; "
        f"p, {p_text(reading.p_value)}, is not of them but of the {reading.procedure}"
    )


def placebo_title(reading: PanelReading) -> str:
    """What the placebos are, with how many there are; empty where there are none."""
    found = as_extreme(reading)
    if found is not None:
        return count_of(found[1], "assignment")
    return count_of(len(reading.placebos), "earlier stretch") if len(reading.placebos) else ""


def placebo_how(reading: PanelReading) -> str:
    """How the placebos come about."""
    asked = (
        "The same method is asked for the lift of units that were not treated."
        if as_extreme(reading) is not None
        else "The same comparison is made in stretches before the test."
    )
    return f"{asked} Where nothing was done the answers scatter around 0; an effect shows when it lies outside them."
