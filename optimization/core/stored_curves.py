"""Fitted curves as JSON, and back: what a curve version keeps of a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from optimization.core.cells import CellKey
from optimization.core.curve_shapes import Z80, Band, band_factors
from optimization.core.curves import FittedCurve
from optimization.core.problem import Curve
from optimization.core.responses import Family, Floats, Responses


def curve_record(key: CellKey, fitted: FittedCurve) -> dict[str, Any]:
    """Everything a later reader needs of one curve: parameters per week in money, errors, range seen, notes."""
    low, high = fitted.observed_spend_range
    return {
        "retailer": key.retailer,
        "placement": key.placement,
        "sku": key.sku,
        "family": fitted.family.label,
        "params": {"a": fitted.a, "k": fitted.k},
        "amplitude_se": fitted.amplitude_se,
        "log_scale_sd": fitted.log_scale_sd,
        "reference_spend": fitted.reference_spend,
        "reference_relative_se": fitted.reference_relative_se,
        "carry_over": fitted.carry_over,
        "n_weeks": fitted.n_weeks,
        "observed_spend": {"min": low, "max": high},
        "r2": fitted.r2,
        "shrinkage": fitted.shrinkage,
        "notes": list(fitted.diagnostics),
        "band": [list(ends) for ends in fitted.band],
        "noise_sd": fitted.noise_sd,
        "common_week_sd": fitted.common_week_sd,
        "far_weeks": fitted.far_weeks,
    }


@dataclass(frozen=True, kw_only=True)
class StoredCurve:
    """A curve of a version, per week. Attributes as `FittedCurve`."""

    key: CellKey
    family: Family
    a: float
    k: float
    exponent: float = 1.0
    log_scale_sd: float = 0.0
    reference_spend: float = 0.0
    reference_relative_se: float = 0.0
    observed_spend: tuple[float, float] = (0.0, 0.0)
    n_weeks: int = 0
    r2: float | None = None
    shrinkage: float = 1.0
    notes: tuple[str, ...] = ()
    band: Band = ()
    noise_sd: float = 0.0
    common_week_sd: float = 0.0

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> StoredCurve:
        """From the JSON of a curve version."""
        params, seen = record["params"], record.get("observed_spend", {})
        return cls(
            key=CellKey(record["retailer"], record["placement"], record["sku"]),
            family=Family[record["family"].upper()],
            a=float(params["a"]),
            k=float(params["k"]),
            exponent=float(params.get("p", params.get("n", 1.0))),
            log_scale_sd=float(record.get("log_scale_sd", 0.0)),
            reference_spend=float(record.get("reference_spend", 0.0)),
            reference_relative_se=float(record.get("reference_relative_se", 0.0)),
            observed_spend=(float(seen.get("min", 0.0)), float(seen.get("max", 0.0))),
            n_weeks=int(record.get("n_weeks", 0)),
            r2=record.get("r2"),
            shrinkage=float(record.get("shrinkage", 1.0)),
            notes=tuple(record.get("notes", ())),
            band=tuple((float(at), float(low), float(high)) for at, low, high in record.get("band", ())),
            noise_sd=float(record.get("noise_sd", 0.0)),
            common_week_sd=float(record.get("common_week_sd", 0.0)),
        )

    def curve(self, weeks: float = 1.0) -> Curve:
        """The response over a horizon with even weekly spend: amplitude and scale grow alike."""
        return Curve(self.family, self.a * weeks, self.k * weeks, self.exponent)

    def revenue(self, spend: ArrayLike, weeks: float = 1.0) -> Floats:
        """Expected revenue of `spend` over the horizon, money, in the shape of `spend`."""
        return self._shaped(spend, weeks, self.a, self.k)

    def interval(self, spend: ArrayLike, weeks: float = 1.0, z: float = Z80) -> tuple[Floats, Floats]:
        """Central interval of the expected revenue over the horizon, 80 % by default.

        By the band of the fit where the version has one. Else by two independent errors on the logarithm: that of the
        return at the mean spend, where the curve is known best, and that of the scale, which bends the curve around
        that point. The second is taken exactly, by moving the scale one deviation either way.
        """
        x = np.asarray(spend, dtype=np.float64)
        middle = self.revenue(x, weeks)
        if self.band and self.reference_spend > 0.0:
            low, high = band_factors(self.band, x / (weeks * self.reference_spend), z)
            return middle * low, middle * high
        bent = [self.drawn(x, weeks, level=0.0, scale=sign * self.log_scale_sd) for sign in (-1.0, 1.0)]
        with np.errstate(divide="ignore", invalid="ignore"):
            bend = np.where(middle > 0.0, np.abs(np.log(bent[1] / bent[0])) / 2.0, 0.0)
        width = z * np.sqrt(self.reference_relative_se**2 + bend**2)
        return middle * np.exp(-width), middle * np.exp(width)

    def drawn(self, spend: ArrayLike, weeks: float, *, level: ArrayLike, scale: ArrayLike) -> Floats:
        """Revenue under one possible truth: ln of the return at the mean spend off by `level`, ln k by `scale`."""
        k = self.k * np.exp(np.asarray(scale, dtype=np.float64))
        a = np.full(k.shape, self.a)
        if self.reference_spend > 0.0 and self.a > 0.0:
            known = self._shaped(self.reference_spend, 1.0, self.a, self.k)
            a = self.a * known / self._shaped(self.reference_spend, 1.0, self.a, k)
        return self._shaped(spend, weeks, a * np.exp(np.asarray(level, dtype=np.float64)), k)

    def _shaped(self, spend: ArrayLike, weeks: float, a: ArrayLike, k: ArrayLike) -> Floats:
        x, amplitude, scale = np.broadcast_arrays(
            np.asarray(spend, dtype=np.float64), np.asarray(a, dtype=np.float64), np.asarray(k, dtype=np.float64)
        )
        flat = x.ravel()
        curves = Responses.of(
            np.full(flat.size, int(self.family)),
            amplitude.ravel() * weeks,
            scale.ravel() * weeks,
            np.full(flat.size, self.exponent),
        )
        return np.asarray(curves.value(flat).reshape(x.shape))
