"""The exact infinite-width limit of a random CNN-DCN, and the theorems around it.

`limit` is the fourth reading of a description, and `filters` has the constants of random filters
(both from `preimage.network.limit`; here `limit` takes photos in any form). `bounds`, `two_layer`
and `covariance` say how far a finite network is from the limit, `similarity` how far the limit is
from the image. docs/theory.md has the statements and their proofs.

The names say what a number is worth. A `…_bound` or a `…_bracket` is proved, under the conditions
in its docstring, and `energy_ratio` is exact: a measurement that contradicts one of them refutes a
theorem. `relative_std`, `std_image`, `relative_covariance`, `mean_square_sine` and `TwoLayer`'s
`effective_constant`, `pearson_loss` and `predicted_angle_quantile` are predictions, to leading
order in 1/width: measurements may lie on either side of them, and that decides no theorem.
"""

from preimage.network.limit import (
    Bracket,
    Moments,
    Sampled,
    energies,
    excess_kurtosis,
    gaussian_moments,
    iid_moments,
    marginal_moments,
    relu_correlation,
    relu_square_correlation,
    sample_isotropic,
)
from preimage.theory.bounds import (
    MultilayerBound,
    Variances,
    angle_bound,
    energy_ratio,
    layer_variances,
    mean_bracket,
    mean_square_sine_bound,
    multilayer_angle_bound,
    relative_std,
    relative_variance_bound,
    std_image,
)
from preimage.theory.chi_square import mixture_cdf, mixture_quantile
from preimage.theory.covariance import mean_square_sine, relative_covariance
from preimage.theory.pictures import limit, limit_bracket, sampled_limit
from preimage.theory.similarity import (
    Similarity,
    channel_norm,
    cosine_bound,
    local_dissimilarity,
    route_counts,
    similarity_factor,
    two_layer_cosine_bound,
    window_sum_energy,
)
from preimage.theory.two_layer import (
    Estimate,
    TwoLayer,
    concentration_angle_bound,
    sampled_effective_constant,
    sharper_angle_bound,
    two_layer,
    two_layer_angle_bound,
)

__all__ = [
    "Bracket",
    "Estimate",
    "Moments",
    "MultilayerBound",
    "Sampled",
    "Similarity",
    "TwoLayer",
    "Variances",
    "angle_bound",
    "channel_norm",
    "concentration_angle_bound",
    "cosine_bound",
    "energies",
    "energy_ratio",
    "excess_kurtosis",
    "gaussian_moments",
    "iid_moments",
    "layer_variances",
    "limit",
    "limit_bracket",
    "local_dissimilarity",
    "marginal_moments",
    "mean_bracket",
    "mean_square_sine",
    "mean_square_sine_bound",
    "mixture_cdf",
    "mixture_quantile",
    "multilayer_angle_bound",
    "relative_covariance",
    "relative_std",
    "relative_variance_bound",
    "relu_correlation",
    "relu_square_correlation",
    "route_counts",
    "sample_isotropic",
    "sampled_effective_constant",
    "sampled_limit",
    "sharper_angle_bound",
    "similarity_factor",
    "std_image",
    "two_layer",
    "two_layer_angle_bound",
    "two_layer_cosine_bound",
    "window_sum_energy",
]
