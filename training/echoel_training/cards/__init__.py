"""An instrument as it is shown to a musician: its card, a phrase to hear, a picture of it, and its figures."""
