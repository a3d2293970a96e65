"""Where this checkout is. A link is not followed: a folder of links to one is a checkout of its own.

Installed without a checkout, what ships lies inside the package, and runs and reports belong to the present folder.
"""

from pathlib import Path

_CHECKOUT = Path(__file__).absolute().parents[2]
INSTALLED = not (_CHECKOUT / "conf" / "train.yaml").exists()
HOME = Path(__file__).absolute().parent / "shipped" if INSTALLED else _CHECKOUT  # conf/, data/ and pipelines/ lie here
ROOT = Path.cwd() if INSTALLED else _CHECKOUT  # runs, reports and files of one's own
CONF = HOME / "conf"
