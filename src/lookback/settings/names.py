"""The names of models and metrics, and the kinds of tasks that they go with."""

BACKBONES = ("dense", "simple_rnn", "lstm", "gru")
NETWORKS_ON = {
    "forecast": BACKBONES,
    "classify": BACKBONES,
    "language": (*BACKBONES, "bigram"),
    "sentiment": (*BACKBONES, "bag_of_words"),
    "rating": (*BACKBONES, "bag_of_words"),
    "tagging": BACKBONES,
}
NETWORKS = tuple(dict.fromkeys(name for names in NETWORKS_ON.values() for name in names))
BASELINES = {
    "forecast": (
        "naive", "seasonal_naive", "drift", "growth_naive", "linear", "log_linear", "lad", "climatology",
        "holt_winters", "sarima", "boosting",
    ),
    "classify": ("frequencies", "persistence", "logistic"),
    "language": ("unigram", "ngram"),
    "sentiment": ("majority", "naive_bayes", "tfidf_logistic"),
    "rating": ("mean_rating", "tfidf_ridge"),
    "tagging": ("majority", "most_frequent_tag"),
}  # fmt: skip
METRICS = {
    "forecast": ("mae", "rmse", "mase", "rmsse", "bias", "smape", "mape"),
    "classify": ("log_loss", "accuracy", "macro_f1"),
    "language": ("nats", "bits", "perplexity", "accuracy", "bits_per_character", "unknown"),
    "sentiment": ("error_rate", "accuracy", "log_loss", "macro_f1", "accuracy_new"),
    "rating": ("mse", "rmse", "mae", "r2", "mse_rounded", "r2_rounded", "mse_new"),
    "tagging": ("error_rate", "accuracy", "accuracy_known", "accuracy_unknown", "log_loss", "macro_f1"),
}
LOSSES_THAT_DECIDE = (
    "mae", "rmse", "mse", "mase", "rmsse", "log_loss", "nats", "bits", "perplexity", "error_rate",
)  # fmt: skip


def models_for(kind: str) -> tuple[str, ...]:
    """Every model that makes sense on a kind of task."""
    return BASELINES[kind] + NETWORKS_ON[kind]
