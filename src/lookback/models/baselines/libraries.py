"""How the statistics libraries are called."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """For work on small matrices: threads that wait for each other slow it down tenfold on a busy machine."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1):
        yield


@contextmanager
def quietly() -> Iterator[None]:
    """One thread, and no warnings of optimisers: a criterion judges what they found."""
    import statsmodels.tools.sm_exceptions  # noqa: F401  its import resets the filters

    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
