"""What `pipelines/train.py` makes of its command line before Hydra reads it."""

from lookback.configuration import messages, plugins


def ready(arguments: list[str]) -> list[str]:
    """The command line as Hydra takes it."""
    with messages.one_line_errors():
        return plugins.with_folders(dry(everybody(arguments)))


def everybody(arguments: list[str]) -> list[str]:
    """A CSV of one's own without a model that is named is a sweep: every model, and the comparison."""
    one = any(a.startswith(("model=", "-")) for a in arguments)
    return ["-m", *arguments] if "task=csv" in arguments and not one else arguments


def dry(arguments: list[str]) -> list[str]:
    """`-m --cfg job`, for which Hydra has no answer: the trials of a sweep are listed, and none is run."""
    several = {"-m", "--multirun"} & set(arguments)
    left = [argument for argument in arguments if argument != "--cfg=job"]
    for flag in ("--cfg", "-c"):
        if flag in left and "job" in left[left.index(flag) + 1 :][:1]:
            at = left.index(flag)
            del left[at : at + 2]
    if not several or left == arguments:
        return arguments
    return [*(a for a in left if a != "--resolve"), "hydra.sweeper.only_list=true"]
