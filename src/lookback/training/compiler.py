"""Which compiler a network trains under, told without any of them."""

GRAPH_FROM = 128  # units from which TensorFlow's own kernels beat XLA's on a CPU


def uses_xla(compiler: str, units: int, texts: bool) -> bool:
    """Whether training is compiled by XLA or runs as a TensorFlow graph.

    A rule on size and not a race: the two differ in the last bits, and a run must be repeatable. Texts run as a
    graph: one graph serves every length, where XLA would compile each.
    """
    return compiler == "xla" or (compiler == "auto" and units < GRAPH_FROM and not texts)
