from .architectures import alexnet, architecture, torchvision_alexnet, vgg16
from .description import Description
from .laws import Law
from .network import Network, build
from .operations import ChannelMean, Conv, Crop, Pool, Unpool
from .shapes import input_sizes, layer_table, least_size, trace

__version__: str

__all__ = [
    "ChannelMean",
    "Conv",
    "Crop",
    "Description",
    "Law",
    "Network",
    "Pool",
    "Unpool",
    "__version__",
    "alexnet",
    "architecture",
    "build",
    "input_sizes",
    "layer_table",
    "least_size",
    "torchvision_alexnet",
    "trace",
    "vgg16",
]
