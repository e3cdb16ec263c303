"""Whitened features: uncorrelated, of one scale, nothing made of rounding."""

import torch

from preimage.probing.whitening import whitening


def test_whitened_features_are_uncorrelated_and_of_unit_variance() -> None:
    mixing = torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.1, 3.0], [1.0, 2.1, 0.3]])
    maps = torch.einsum("ij,njhw->nihw", mixing, torch.randn(40, 3, 5, 7)) + 9
    whitened = whitening(maps, floor=1e-9)(maps)
    covariance = torch.cov(whitened.movedim(1, 0).flatten(1).double())
    assert (covariance - torch.eye(3)).abs().max() < 2e-3
    assert whitened.mean().abs() < 1e-3


def test_what_hardly_varies_is_not_raised() -> None:
    """A copy and a constant add nothing: with a floor, their directions stay near zero."""
    vectors = torch.randn(50, 2)
    vectors = torch.cat([vectors, vectors[:, :1], torch.full((50, 1), 7.0)], 1)
    whitened = whitening(vectors, floor=1e-2)(vectors)
    assert whitened[:, 3].abs().max() < 1e-4
    assert whitened.square().mean() < 1
    assert whitened.isfinite().all()
