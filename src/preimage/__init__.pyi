from .architectures import alexnet, architecture, torchvision_alexnet, vgg16
from .config import NetworkConfig, ReconstructConfig
from .description import Description
from .images import Photo, PhotoError, embedded_photos, load_photos
from .laws import Law
from .least_squares import LeastSquaresDecoder, fit_least_squares
from .metrics import COLOUR, GREY, colour_scores, grey_scores
from .network import Network, build
from .operations import ChannelMean, Conv, Crop, Normalise, Pool, Unpool
from .reconstruction import Reconstruction, reconstruct
from .shapes import Alignment, alignment, input_sizes, layer_table, least_size, trace

__version__: str

__all__ = [
    "COLOUR",
    "GREY",
    "Alignment",
    "ChannelMean",
    "Conv",
    "Crop",
    "Description",
    "Law",
    "LeastSquaresDecoder",
    "Network",
    "NetworkConfig",
    "Normalise",
    "Photo",
    "PhotoError",
    "Pool",
    "ReconstructConfig",
    "Reconstruction",
    "Unpool",
    "alexnet",
    "alignment",
    "architecture",
    "build",
    "colour_scores",
    "embedded_photos",
    "fit_least_squares",
    "grey_scores",
    "input_sizes",
    "layer_table",
    "least_size",
    "load_photos",
    "reconstruct",
    "torchvision_alexnet",
    "trace",
    "vgg16",
]
