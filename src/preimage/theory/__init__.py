"""The exact infinite-width limit of a random CNN-DCN, and the theorems around it."""

from preimage.theory.limit import energies, limit
from preimage.theory.max_limit import Bracket, Sampled, limit_bracket, sampled_limit

__all__ = ["Bracket", "Sampled", "energies", "limit", "limit_bracket", "sampled_limit"]
