"""`preimage fit`: a decoder in closed form."""

from preimage.decoders.learning import fit_decoder
from preimage.decoders.least_squares import LeastSquaresDecoder
from preimage.decoders.options import FitCommand


def run(config: FitCommand) -> int:
    """Fits and writes the decoder."""
    decoder = fit_decoder(config).decoder
    assert isinstance(decoder, LeastSquaresDecoder)
    record = decoder.record
    best = min(value for value in record.held_back_mse if value is not None)
    print(
        f"{record.photos} photos, {record.samples:,} windows, ridge {record.ridge:g}: mean squared "
        f"error {best:.1f} squared grey levels on {record.held_back} photos that chose the ridge\n"
        f"{config.out}"
    )
    return 0
