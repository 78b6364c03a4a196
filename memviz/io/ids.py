"""Names of runs and jobs: sortable by time, and not to be guessed, since the link is the key."""

import re
import secrets
from datetime import UTC, datetime

ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{16}")


def new_id() -> str:
    """The time and 16 random digits."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(8)}"
