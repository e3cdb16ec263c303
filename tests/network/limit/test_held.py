"""What the limit holds at once, counted by hand for a small network."""

from preimage.network.architectures import vgg16
from preimage.network.limit.held import covariance_bytes


def test_maps_of_all_operations_and_matrices() -> None:
    encoder = vgg16().cut("conv1", pooled=True).with_pool("avg")
    network = (encoder + encoder.mirror("nearest")).with_mean_head()
    # The average pool mixes neighbours, so that 3 offsets along x are needed before it.
    maps = 3 * (3 * 21 * 30)  # of the image and of two convolutions
    maps += 2 * 21 * 15 + 11 * 15  # two rows of offsets wait for the pool's output
    maps += 11 * 30 + 22 * 30  # unpooled along one axis, along both
    matrices = 11 * 21 + 15 * 30 + 22 * 11 + 30 * 15
    assert covariance_bytes(network, (21, 30)) == 8 * (maps + matrices)
    assert covariance_bytes(network, (21, 30), 4) == 4 * maps + 8 * matrices


def test_a_max_pool_waits_for_all_rows() -> None:
    encoder = vgg16().cut("conv1", pooled=True)
    network = (encoder + encoder.mirror("nearest")).with_mean_head()
    before = 3 * (3 * 20 * 30) + 2 * 3 * 20 * 30
    assert covariance_bytes(network, (20, 30)) == 8 * before + 8 * (20 * 10 + 30 * 15)
