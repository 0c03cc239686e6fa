"""What makes an item's JSON less simple than others'."""

from datetime import UTC, datetime

STRANGE = "\x01\b\t\n\r\x1b\"'\\/\x7f\u0080\u2028\ufeff\uffff é 🍵 <&>"
TIMES = (
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC),
    datetime(999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
)
