from hypothesis import given
from strategies import paper_encoders

from preimage.network.architectures import architecture, vgg16
from preimage.network.description import Description
from preimage.network.operations import Pool
from preimage.network.trace import trace


def test_simplified_is_figure_7() -> None:
    encoder = vgg16().cut("conv3").simplified()
    assert encoder.operations[:2] == (Pool("pool1", "avg"), Pool("pool2", "avg"))
    assert [conv.name for conv in encoder.convs] == ["conv3_1", "conv3_2", "conv3_3"]
    assert trace(encoder, 227, 227)[-1].height == 57
    names = [op.name for op in encoder.mirror().operations]
    assert names == ["deconv3_3", "deconv3_2", "deconv3_1", "unpool2", "unpool1", "crop"]
    assert encoder.mirror().convs[-1].output
    direct = vgg16().cut("conv3").simplified(resize=False)
    assert trace(direct, 227, 227)[-1].height == 227


@given(paper_encoders())
def test_simplified_works_at_the_layers_own_size(encoder: Description) -> None:
    whole = architecture(encoder.name.split()[0]).cut(encoder.convs[-1].name)
    simple = whole.simplified()
    for size in (64, 97, 227):
        assert trace(simple, size, size)[-1].height == trace(whole, size, size)[-1].height
