"""`preimage limit`: what a random CNN-DCN shows at infinite width, beside finite networks."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from preimage.app.cli.commands import LimitCommand
from preimage.app.cli.estimate import announced_by_pace
from preimage.app.cli.options import command_line, flat
from preimage.data.html import data_uri
from preimage.data.photo import Photo
from preimage.data.photos import open_photo
from preimage.data.records import (
    environment,
    output_folder,
    write_atomically,
    write_json,
    write_text,
)
from preimage.data.report import Part, report
from preimage.data.tables import text_table
from preimage.paper.draw import save_figure
from preimage.paper.limit_sheet import LimitPicture, draw_limit, require_study, study_limit
from preimage.scores.metrics import GREY, grey_scores


def run(config: LimitCommand) -> int:
    """Computes the limit and the networks, writes the figure, and prints how close they are."""
    if config.networks < 2:
        raise ValueError(f"`networks` must be at least 2 to have a spread, got {config.networks}.")
    network = config.network.network().with_normalisation()
    if config.size:
        require_study(network, (config.size, config.size))
    folder = output_folder(config.out)
    photo = open_photo(config.photo, config.size or None)
    image = photo.pixels[None] / 255  # only the brightness scales with it
    with announced_by_pace("networks", resumed=False):
        result = study_limit(
            image, network, config.weights, num_networks=config.networks, seed=config.seed
        )
    figure = save_figure(draw_limit(result), folder / "limit.png")

    def write_limit(path: object) -> None:
        np.save(str(path), result.limit.numpy(), allow_pickle=False)

    write_atomically(folder / "limit.npy", write_limit)
    values = numbers(result, photo)
    write_json(
        folder / "run.json",
        {
            "command": flat(config),
            "description": network.to_dict(),
            "photo_sha256": photo.sha256,
            "contract": asdict(GREY),
            "numbers": values,
            "environment": environment(),
        },
    )
    width = network.convs[0].out_channels
    write_text(folder / "report.html", _page(config, result, figure, photo.name, values))
    print(table(photo.name, values, width))
    print(f"{_spread(config, values)}\n{figure}, {folder / 'limit.npy'}, {folder / 'report.html'}")
    return 0


def _spread(config: LimitCommand, values: dict[str, Any]) -> str:
    return (
        f"std of a pixel (root mean square; the limit's brightest is 1): predicted to leading "
        f"order {values['predicted_std']:.3f}, measured over {config.networks} networks "
        f"{values['measured_std']:.3f}"
    )


def _page(
    config: LimitCommand, result: LimitPicture, figure: Path, photo: str, values: dict[str, Any]
) -> str:
    width = result.description.convs[0].out_channels
    heading, *rows = _rows(photo, values, width)
    return report(
        "what a random network shows at infinite width",
        f"{result.description.name}, weights {config.weights}: what its output tends to as its "
        "width grows, computed without any network, beside networks of finite width.",
        [
            Part(
                f"{photo}: the limit and networks beside it",
                data_uri(figure.read_bytes(), "png"),
                "the photo, its limit, one network, their difference, and deviations of a pixel",
            ),
            Part("How close they are", columns=heading, rows=rows, note=_spread(config, values)),
        ],
        command_line("limit", config),
        environment(),
    )


def numbers(result: LimitPicture, photo: Photo) -> dict[str, Any]:
    """Scores of the limit and of network 0, and how far networks are from the limit."""
    image = photo.pixels[None] / 255  # scores do not change with the brightness
    limit = grey_scores(image, result.limit[None, None].float())
    finite = grey_scores(image, result.network[None, None].float())
    return {
        "limit": {"ssim": float(limit.ssim), "pearson": float(limit.pearson)},
        "network_0": {"ssim": float(finite.ssim), "pearson": float(finite.pearson)},
        "sine_of_angle": result.sine,
        "predicted_std": result.spread(result.predicted_std),
        "measured_std": result.spread(result.measured_std),
        "sampling_stderr": result.spread(result.stderr),
    }


def table(photo: str, values: dict[str, Any], width: int) -> str:
    """The scores of the limit above those of network 0, and the angle between them."""
    heading, *rows = _rows(photo, values, width)
    return text_table(heading, rows)


def _rows(photo: str, values: dict[str, Any], width: int) -> list[tuple[str, ...]]:
    """The heading, then a row each."""
    return [
        (photo, "SSIM", "Pearson", "sin of angle"),
        *(
            (name, f"{scores['ssim']:.3f}", f"{scores['pearson']:.3f}", sine)
            for name, scores, sine in (
                ("infinite width", values["limit"], "0"),
                (
                    f"network 0, width {width}",
                    values["network_0"],
                    f"{values['sine_of_angle']:.3f}",
                ),
            )
        ),
    ]
