"""How many certificates an authority still issues this week, as far as a host knows."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from changeover.model.findings import Finding, failed, passed
from changeover.tools import certbot

UNKNOWN = "what other hosts issued, and lineages that were deleted, are not known here"


def room(names: tuple[str, ...], kept: certbot.Kept) -> Finding:
    """Count what was issued this week, as far as it is known here."""
    now = time.time()
    same = kept.lately(names, now)
    under = max(kept.under(names[0], now), kept.logged)
    said = (
        f"issued in the last 7 days: {len(same)} of {certbot.SAME_NAMES} for {', '.join(names)}, "
        f"{under} of {certbot.SAME_DOMAIN} under its domain ({UNKNOWN})"
    )
    if len(same) < certbot.SAME_NAMES and under < certbot.SAME_DOMAIN:
        return passed(said)
    free = datetime.fromtimestamp((same or [now])[0] + certbot.WEEK, UTC)
    return failed(said, f"Let's Encrypt would refuse another one; wait until {free:%F %H:%M} UTC.")
