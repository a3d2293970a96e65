"""Numbers as text. What is missing is a dash, and what rounds to zero has no sign."""


def fixed(value: float, decimals: int) -> str:
    """With so many decimals."""
    return "–" if value != value else unsigned_zero(f"{value:.{decimals}f}")


def significant(value: float, figures: int = 4) -> str:
    """With so many significant figures, zeros at the end included."""
    return "–" if value != value else unsigned_zero(f"{value:#.{figures}g}".rstrip("."))


def signed(value: float, figures: int) -> str:
    """A difference, with its sign and no more than so many significant figures."""
    return "–" if value != value else unsigned_zero(f"{value:+.{figures}g}")


def unsigned_zero(text: str) -> str:
    """A number as text; without its sign where only zeros follow."""
    return text if text.strip("+-−0.,") else text.lstrip("+-−")
