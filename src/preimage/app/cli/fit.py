"""`preimage fit`: a decoder in closed form."""

from preimage.app.cli.any_model import chosen_encoder
from preimage.app.cli.decoder_commands import FitCommand
from preimage.app.cli.estimate import announced_by_pace
from preimage.decoders.fit import fit_decoder
from preimage.decoders.least_squares import LeastSquaresDecoder


def run(config: FitCommand) -> int:
    """Fits and writes the decoder."""
    with announced_by_pace("fit", resumed=False):
        decoder = fit_decoder(
            chosen_encoder(config, config.encoder),
            config.data,
            config.out,
            window=config.window,
            positions=config.positions or None,
            photos=config.photos or None,
            size=config.size,
            seed=config.encoder.seed,
            device=config.device,
            strict=config.strict,
        ).decoder
    assert isinstance(decoder, LeastSquaresDecoder)
    record = decoder.record
    best = min(value for value in record.held_back_mse if value is not None)
    print(
        f"{record.photos} photos, {record.samples:,} windows, ridge {record.ridge:g}: mean squared "
        f"error {best:.1f} squared grey levels on {record.held_back} photos that chose the ridge\n"
        f"{config.out}"
    )
    return 0
