"""What does a layer of a network remember of the image?

Networks as data (`vgg16().cut("conv3")`), their mirrored decoders (`.mirror()`), the torch modules
built from them (`build`), and the reconstruction of photos through both (`reconstruct`). The
public names stand in `__init__.pyi` and are imported on first use, so that the command line's
`--help` need not wait for torch.
"""

import warnings

import lazy_loader

from preimage._version import __version__ as __version__

# accelerate imports tqdm, which asks for widgets in a notebook; no bar of its own is ever shown.
warnings.filterwarnings("ignore", message="IProgress not found")

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
