"""Where this checkout is. A link is not followed: a folder of links to one is a checkout of its own."""

from pathlib import Path

ROOT = Path(__file__).absolute().parents[2]  # conf/, data/ and pipelines/ lie here
CONF = ROOT / "conf"
