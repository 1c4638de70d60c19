"""The risk of a vendor: plain functions, without Temporal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator

BASE = 10

BY_TAG = {
    "processes_pii": (20, "processes personal data"),
    "processes_phi": (30, "processes health data"),
    "subprocessor": (10, "is a subprocessor"),
    "critical": (15, "is critical to the business"),
    "ai": (10, "uses our data for AI"),
    "soc2": (-10, "has a SOC 2 report"),
    "iso27001": (-10, "is certified by ISO 27001"),
    "eu_only": (-5, "keeps data in the EU"),
}

EEA = set(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()
)
ADEQUATE = set("AD AR CA CH FO GB GG IL IM JE JP KR NZ UY".split())


@dataclass(frozen=True)
class Factor:
    points: int
    reason: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.points:+d})"


def factors(given: dict[str, Any]) -> Iterator[Factor]:
    """What raises or lowers the score, always in the same order."""
    vendor = given["vendor"]
    country = vendor["country"]
    if country in ADEQUATE:
        yield Factor(5, f"sits outside the EEA, in a country with an adequacy decision: {country}")
    elif country not in EEA:
        yield Factor(15, f"sits outside the EEA: {country}")
    tags = set(vendor.get("tags", []))
    for tag, (points, reason) in BY_TAG.items():
        if tag in tags:
            yield Factor(points, reason)
    spend = given.get("annual_spend_usd", 0)
    if spend >= 250_000:
        yield Factor(15 if spend >= 1_000_000 else 10, f"costs {spend:,.0f} USD a year")
    incidents = given.get("incidents_last_year", 0)
    if incidents > 0:
        noun = "incident" if incidents == 1 else "incidents"
        yield Factor(min(30, 10 * incidents), f"reported {incidents} {noun} last year")


def to_result(found: list[Factor]) -> dict[str, Any]:
    score = max(0, min(100, BASE + sum(factor.points for factor in found)))
    level = "low" if score < 35 else "medium" if score < 65 else "high"
    return {"score": score, "level": level, "reasons": [str(factor) for factor in found]}
