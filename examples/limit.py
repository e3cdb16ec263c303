"""A photo through a random network of infinite width, exactly: python examples/limit.py [PHOTO]"""

import sys

from preimage import embedded_photos, grey_scores, load_photos, study_limit, vgg16


def main(path: str | None) -> None:
    (photo,) = load_photos(path, 96) if path else embedded_photos(96)[1:2]
    encoder = vgg16().cut("conv2").with_pool("avg").with_width(32)
    network = (encoder + encoder.mirror("nearest").with_mean_head()).with_normalisation()
    study = study_limit(photo, network, num_networks=4)
    print(study)
    scores = grey_scores(photo, study.limit)
    print(f"at infinite width: SSIM {scores.ssim.item():.2f}, Pearson {scores.pearson.item():.2f}")
    study.plot().savefig("limit.png", dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:] or [None])
