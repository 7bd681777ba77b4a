"""Scores instruments as the product plays them, against the notes that they were to learn.

Everything that is judged is rendered through `echoel`; nothing here imports PyTorch. Each measure is a function of
arrays, so that synthetic sounds with a known fault can prove that it sees the fault; what plays and what is asked of
it lies in files of its own.
"""
