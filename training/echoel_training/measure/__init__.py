"""Measures the product: what `echoel` renders, not what PyTorch computes.

Each measure is a function of arrays (`pitch`, `steadiness`, `continuity`), so that synthetic sounds with a known
fault can prove that it sees the fault; `product` renders the pieces that it is applied to.
"""
