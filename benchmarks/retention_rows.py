"""How long rows of a kernel take: VGG16's Conv3 in tiles of 4×4, of 64×64 photos, one thread.

    python benchmarks/retention_rows.py

Prints nanoseconds of processor time per evaluation of h for four rows of a symmetric Gram of 32
tiles: the first, those in the middle, the last.
"""

import time

import torch
import torch.nn.functional as F

from preimage import vgg16
from preimage.network.limit.cross import corner_range, tile_maps
from preimage.network.limit.pairs import pair_recursion
from preimage.network.limit.tiles import Tiles
from preimage.retention import grams
from preimage.retention.costs import evaluations_per_pair

TILES, ROWS = 32, 4


def main() -> None:
    torch.set_num_threads(1)
    encoder = vgg16().with_pool("avg").with_activation(0.2).cut("conv3")
    generator = torch.Generator().manual_seed(0)
    corners = torch.randint(0, 13, (TILES, 2), generator=generator)
    tiles = Tiles(torch.arange(TILES) % 4, corners, (4, 4))
    recursion = pair_recursion(encoder, (64, 64), (4, 4), 1, corner_range(tiles))
    small = 255 * torch.rand(4, 3, 16, 16, generator=generator)
    maps = tile_maps(recursion, F.interpolate(small, size=(64, 64), mode="bilinear"), tiles)
    for start in (0, 16, 28):
        pairs = sum(TILES - start - row for row in range(ROWS))
        begin = time.process_time()
        grams.tile_rows(recursion, maps, range(start, start + ROWS), maps, mirrored=True)
        seconds = time.process_time() - begin
        each = 1e9 * seconds / evaluations_per_pair(recursion) / pairs
        print(f"{pairs} pairs of tiles: {seconds:.2f} s, {each:.1f} ns per evaluation")


if __name__ == "__main__":
    main()
