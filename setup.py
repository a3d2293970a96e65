"""What ships beside the code goes into the package, so that `pip install .` works without a checkout."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = ("conf", "data", "pipelines", "pyproject.toml", "requirements.lock")


class WithFiles(build_py):
    """Copies the configuration, the small data files and the pipelines as well."""

    def run(self) -> None:
        """Build the package."""
        super().run()
        if self.editable_mode:
            return  # a checkout has them
        place = Path(self.build_lib) / "lookback" / "shipped"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for name in SHIPPED:
            if Path(name).is_dir():
                shutil.copytree(name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(name, place / name)


setup(cmdclass={"build_py": WithFiles})
