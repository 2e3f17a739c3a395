import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leukoscope.inference.quantization import Affine

affines = st.builds(Affine, st.floats(1e-4, 10), st.integers(-128, 127))


@given(affines, st.integers(-128, 127))
def test_an_integer_survives_the_round_trip(affine: Affine, integer: int) -> None:
    codes = np.array([integer], dtype=np.int8)
    assert affine.quantize(affine.dequantize(codes)) == codes


@given(affines, st.floats(-1, 1))
def test_a_number_in_range_comes_back_within_half_a_step(affine: Affine, share: float) -> None:
    low, high = (-128 - affine.zero_point) * affine.scale, (127 - affine.zero_point) * affine.scale
    real = np.float32(low + (share + 1) / 2 * (high - low))
    back = affine.dequantize(affine.quantize(np.array([real])))[0]
    assert abs(back - real) <= affine.scale * 0.51


@given(affines)
def test_numbers_out_of_range_saturate(affine: Affine) -> None:
    far = np.array([-1e9, 1e9], dtype=np.float32)
    assert affine.quantize(far).tolist() == [-128, 127]


def test_bytes_are_read_as_shares_of_255() -> None:
    table = Affine(1 / 255, -128).byte_table()
    assert table.tolist() == list(range(-128, 128))
