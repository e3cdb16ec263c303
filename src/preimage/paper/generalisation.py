"""Figure 3b: Conv3 of VGG and of AlexNet, on photos that decoders were trained on and on others."""

from collections.abc import Sequence

from preimage.data.cost import Sum
from preimage.paper.arms import NO_TRAINED, Arm, Encoders
from preimage.paper.decision import is_within
from preimage.paper.decoder_draw import ErrorLine, draw_errors, save_files, with_files
from preimage.paper.decoder_scores import DCN, METHODS, PHOTOS, Scores, score_decoders
from preimage.paper.depth import SAME_DB, heading
from preimage.paper.finding import Claim, Finding, Number
from preimage.paper.fits_cost import fits_cost
from preimage.paper.options import FigureOptions
from preimage.paper.trainings import Trainings
from preimage.paper.trainings_cost import trainings_cost

LAYER = "conv3"
ALEXNET = Claim(
    "fig3b_alexnet",
    "fig3b",
    "Figure 3b: AlexNet on training and on validation photos",
    "AlexNet generalises too.",
)
LITTLE = Claim(
    "fig3b_random",
    "fig3b",
    "Figure 3b: random against pre-trained features of Conv3",
    "At Conv3 random and pre-trained features differ little.",
)
#: "Little": within 1 dB, a quarter of the loss, where Figure 3a's curves differ by several dB.
LITTLE_DB = 1.0


def run(options: FigureOptions) -> list[Finding]:
    """Trains and fits what is missing, scores it, draws it.

    Raises:
        Incomplete: time was up.
        ValueError: no photos to train on.
    """
    trainings = Trainings(options)
    kinds = _kinds(trainings)
    scores = score_decoders(trainings, {LAYER: kinds})
    labels = [kind.label for kind in kinds]
    lines = [
        _line(scores, label, method, colour)
        for colour, label in enumerate(labels)
        for method in METHODS
    ]
    title = f"{LAYER.capitalize()}-De{LAYER.capitalize()}"
    figure = draw_errors({title: lines}, heading(trainings, scores, kinds), "photos")
    files = save_files(options, figure, scores.rows())
    random, *trained, alexnet = labels
    findings = [
        _alexnet(scores, alexnet),
        _little(scores, random, trained[0]) if trained else LITTLE.absent(NO_TRAINED),
    ]
    return with_files(findings, files, trainings.preset.steps, trainings.seconds)


def cost(options: FigureOptions) -> Sum:
    """What trainings, fits and scores take."""
    trainings = Trainings(options)
    arms = [Arm(encoder) for kind in _kinds(trainings) for encoder in kind.networks]
    encoders = list(dict.fromkeys(arm.encoder for arm in arms))
    fits = fits_cost(trainings, encoders, scored=True)
    return Sum([trainings_cost(trainings, arms), fits])


def _kinds(trainings: Trainings) -> Sequence[Encoders]:
    networks = trainings.num_compared
    alexnets = trainings.random_encoders(LAYER, networks, "alexnet")
    return [*trainings.encoders(LAYER, networks), alexnets]


def _line(scores: Scores, label: str, method: str, colour: int) -> ErrorLine:
    points = {
        photos: scores.interval("mse", encoder=label, method=method, photos=photos)
        for photos in PHOTOS
    }
    return ErrorLine(f"{label}, {method}", points, colour, "-" if method == DCN else "--")


def _alexnet(scores: Scores, alexnet: str) -> Finding:
    gap = scores.held_out_gap(encoder=alexnet, layer=LAYER, method=DCN)
    psnr = {
        photos: scores.interval("psnr", encoder=alexnet, method=DCN, photos=photos)
        for photos in PHOTOS
    }
    numbers: dict[str, Number] = {
        "training": psnr["training"],
        "held_out": psnr["held-out"],
        "gap": gap,
        **scores.num_photos(encoder=alexnet, layer=LAYER, method=DCN),
    }
    sentence = (
        "random AlexNet's decoders: {training:.2f} dB on training and {held_out:.2f} dB on "
        "held-out photos: {gap:+.2f} dB ({training_photos} and {held_out_photos} photos)"
    )
    brief = (
        "held-out minus training photos: {gap:+.2f} dB (n = {held_out_photos} and "
        "{training_photos})"
    )
    return ALEXNET.finding(sentence, is_within(gap, SAME_DB, over="photos"), numbers, brief=brief)


def _little(scores: Scores, random: str, trained: str) -> Finding:
    gap = scores.compare("psnr", random, trained, method=DCN, photos="held-out")
    counts = {
        label: len(scores.select(encoder=label, method=DCN, photos="held-out"))
        for label in (random, trained)
    }
    numbers: dict[str, Number] = {
        "gap": gap.over_networks,
        "gap_photos": gap.over_photos,
        "random_networks": counts[random],
        "trained_networks": counts[trained],
        "photos": gap.over_photos.n,
    }
    sentence = (
        "VGG16, held-out PSNR on random minus trained features: {gap:+.2f} dB over networks, "
        "{gap_photos:+.2f} dB over photos ({random_networks} and {trained_networks} networks, "
        "{photos} photos)"
    )
    brief = "VGG16, random minus trained: {gap:+.2f} dB"
    return LITTLE.finding(sentence, is_within(gap.over_networks, LITTLE_DB), numbers, brief=brief)
