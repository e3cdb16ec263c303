from . import plot
from .data.photo import Photo, PhotoError, embedded_photos
from .data.photos import load_photos
from .decoders.evaluate import evaluate
from .decoders.fit import fit_decoder
from .decoders.inverter import Inverter
from .decoders.least_squares import LeastSquaresDecoder
from .decoders.ridge import fit_least_squares
from .network.architectures import alexnet, architecture, torchvision_alexnet, vgg16
from .network.build import Network, build
from .network.description import Description
from .network.laws import Law
from .network.operations import ChannelMean, Conv, Crop, Normalise, Pool, Unpool
from .network.spec import NetworkConfig, ReconstructConfig
from .network.trace import Alignment, alignment, input_sizes, layer_table, least_size, trace
from .paper.limit_sheet import study_limit
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
    "Inverter",
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
    "evaluate",
    "fit_decoder",
    "fit_least_squares",
    "grey_scores",
    "input_sizes",
    "layer_table",
    "least_size",
    "load_photos",
    "plot",
    "probe",
    "reconstruct",
    "study_limit",
    "torchvision_alexnet",
    "trace",
    "vgg16",
]
