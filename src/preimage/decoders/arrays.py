"""The tensors that decoders are made of, by name: N photos of H × W, maps of h × w."""

from jaxtyping import Float, Int, UInt8
from torch import Tensor

Pixels = UInt8[Tensor, "N 3 H W"]
"""RGB photos as they come from files."""

Labels = Int[Tensor, " N"]
"""The number of each photo's class."""

Photos = Float[Tensor, "N D H W"]
"""Images in [0, 255]; RGB has D = 3."""

Maps = Float[Tensor, "N C h w"]
"""A layer's features."""

Targets = Float[Tensor, "N Q h w"]
"""What is to be read from each position of the maps."""
