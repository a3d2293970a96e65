"""How a language model draws what it writes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SamplingConfig:
    """How the next token is drawn.

    Attributes:
        seed: of the draws. What a sample writes first does not depend on how long it goes on.
        temperature: logits are divided by it; 0 always takes the likeliest token.
        top_k: only the so many likeliest are drawn from; 0: all.
        top_p: only the likeliest that together have this probability are (Holtzman et al., ICLR 2020); 1: all.
    """

    seed: int
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
