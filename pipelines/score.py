"""How likely a language model finds texts: python pipelines/score.py task=words texts=data/stories.txt.

With endings=true, the game of two endings: is the last sentence of a story likelier than that of another one?
"""

import hydra
from omegaconf import DictConfig

from lookback.configuration import arguments, messages
from lookback.inference import language, scoring
from lookback.inference.arguments import Score
from lookback.paths import ROOT


@hydra.main(version_base="1.3", config_path="../conf", config_name="score")
def main(composed: DictConfig) -> None:
    """Score the texts, or play the game."""
    with messages.one_line_errors():
        wanted = arguments.settled(Score, composed)
        found = scoring.read(wanted.texts, wanted.column, ROOT)
        model = language.language(wanted, ROOT)
        language.warn_of_unknown(scoring.lacking(model, found), "texts")
        table = scoring.endings(model, found, wanted.seed) if wanted.endings else scoring.scores(model, found)
        scoring.show_endings(table) if wanted.endings else scoring.show_scores(table)
        name = "endings" if wanted.endings else "scores"
        (ROOT / "reports").mkdir(exist_ok=True)
        table.to_csv(ROOT / "reports" / f"{name}.csv", index=False)
        print(f"written: reports/{name}.csv")


if __name__ == "__main__":
    arguments.run(main, Score, "texts", "column")
