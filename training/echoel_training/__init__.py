"""Training of Echoelmusic's neural instruments: rendering, data, models, export and manifests."""

__version__ = "0.1.0"


class TrainingError(Exception):
    """Something the user can put right: the message names the thing and the remedy."""
