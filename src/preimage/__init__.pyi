from .data.photo import Photo, PhotoError, embedded_photos
from .data.photos import load_photos
from .decoders.least_squares import LeastSquaresDecoder
from .decoders.ridge import fit_least_squares
from .network.architectures import alexnet, architecture, torchvision_alexnet, vgg16
from .network.build import Network, build
from .network.description import Description
from .network.laws import Law
from .network.operations import ChannelMean, Conv, Crop, Normalise, Pool, Unpool
from .network.spec import NetworkConfig, ReconstructConfig
from .network.trace import Alignment, alignment, input_sizes, layer_table, least_size, trace
from .probing.probe import probe
from .scores.metrics import COLOUR, GREY, colour_scores, grey_scores
from .sweeps.pair import reconstruct
from .sweeps.reconstruction import Reconstruction

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
    "probe",
    "reconstruct",
    "torchvision_alexnet",
    "trace",
    "vgg16",
]
