"""The ends of the networks, one file for each kind of problem: what goes in, what comes out, and the loss."""

from lookback.models.networks.heads.classify import classify
from lookback.models.networks.heads.document import document
from lookback.models.networks.heads.forecast import forecast
from lookback.models.networks.heads.language import language
from lookback.models.networks.heads.tagging import tagging

__all__ = ["classify", "document", "forecast", "language", "tagging"]
