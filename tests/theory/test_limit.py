
import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from preimage.theory import limit

from . import reference
from .strategies import image, network, shots, specs

SETTINGS = settings(
    max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def assert_same_limit(description, image, std=0.3):
    ours = limit(description, torch.from_numpy(image)[None], f"gaussian:{std}")[0, 0].numpy()
    naive = reference.limit(description, image, std)
    assert ours.shape == naive.shape
    # Relative to the image: a dark pixel's u is a difference of nothing.
    np.testing.assert_allclose(ours, naive, rtol=1e-10, atol=1e-12 * naive.max(initial=1e-30))


@SETTINGS
@given(specs(), st.sampled_from(["zeros", "nearest", "bilinear"]), shots)
def test_average_pooling_equals_brute_force(spec, unpool, shot):
    description = network(spec, "avg", unpool)
    assert_same_limit(description, image(description, shot))


@SETTINGS
@given(specs(), st.sampled_from(["zeros", "nearest"]), shots)
def test_l2_pooling_equals_brute_force(spec, unpool, shot):
    description = network(spec, "l2", unpool)
    assert_same_limit(description, image(description, shot))
