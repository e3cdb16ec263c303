"""Networks for the tests of the theory, and outputs of many finite ones."""

import torch
from scipy import stats
from unchecked import unchecked

from preimage import Conv, Description, build, vgg16
from preimage.network.operations import ChannelMean


def photo(height=9, width=7, channels=3, seed=0):
    """A smooth positive image: random, then averaged over 3 × 3 neighbours."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(1, channels, height + 2, width + 2, generator=generator, dtype=torch.float64)
    return torch.nn.functional.avg_pool2d(x, 3, stride=1)


def vgg(layer="conv1", pool="l2", unpool="nearest", width=16, pooled=True):
    encoder = vgg16().cut(layer, pooled=pooled).with_pool(pool)
    whole = (encoder + encoder.mirror(unpool)).with_mean_head()
    return whole.with_normalisation().with_width(width)


def convs(count, width, kernel=3, channels=3, slope=0.0):
    """`count` convolutions and the mean; one is the two-layer network of Theorem 5.2."""
    before = (kernel - 1) // 2
    ops = [
        Conv(f"conv{i}", width, kernel, padding=(before, kernel - 1 - before), slope=slope)
        for i in range(count)
    ]
    description = Description(f"{count} convs", (*ops, ChannelMean()), channels)
    return description.with_normalisation()


@torch.no_grad()
def outputs(description, image, count, law="gaussian:0.5", first=0):
    """(count, d): the outputs of networks `first`, `first` + 1, …"""

    # float32 is 1e-6 off, where the noise of every test is over 1e-3, and takes half the time.
    def draw(index):
        return build(description, law, seed=11, network_number=first + index)(image.float())

    checked = draw(0)
    with unchecked():
        draws = [checked, *(draw(index) for index in range(1, count))]
    return torch.stack(draws).flatten(1).double()


def square_sines(f, limit):
    """sin² of the angle between each row of f and the limit."""
    limit = limit.flatten()
    cosine = f @ limit / (f.norm(dim=1) * limit.norm())
    return 1 - cosine.square()


def threshold(comparisons, level=1e-4):
    """The largest |z| of so many standard normals, but for a chance of `level`.

    The small level leaves room for t statistics of skewed samples, whose tails are a few times
    heavier.
    """
    return float(stats.norm.isf(level / comparisons / 2))


def z_scores(sample, expected):
    """(mean − expected)/stderr over the first axis."""
    stderr = sample.std(0) / len(sample) ** 0.5
    return (sample.mean(0) - expected) / stderr
