"""The fourth reading: what a random network shows of a photo as its width grows, exactly.

`limit` is the exact output at infinite width, `energies` the squared norms on the way to it;
`sampled_limit` and `limit_bracket` are for max pooling, which has no closed form. `filters` has the
constants of random filters. How it is computed: `offsets` works backwards from the output to the
offsets that are needed, `stream` forwards through the covariance maps, `axis_matrices` has pooling
and unpooling as linear maps, and `max_pooling` samples the windows of max pools.
"""

from preimage.network.limit.exact import energies, limit
from preimage.network.limit.filters import (
    Moments,
    excess_kurtosis,
    gaussian_moments,
    iid_moments,
    marginal_moments,
    relu_correlation,
    relu_square_correlation,
    sample_isotropic,
)
from preimage.network.limit.sampled import Bracket, Sampled, limit_bracket, sampled_limit

__all__ = [
    "Bracket",
    "Moments",
    "Sampled",
    "energies",
    "excess_kurtosis",
    "gaussian_moments",
    "iid_moments",
    "limit",
    "limit_bracket",
    "marginal_moments",
    "relu_correlation",
    "relu_square_correlation",
    "sample_isotropic",
    "sampled_limit",
]
