import sys

import numpy as np
import pytest

from napari_cresunet.benchmarking._memory import peak_of
from napari_cresunet.benchmarking._ways import Way


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_peak_is_that_of_the_arrays_a_way_makes():
    probability = np.zeros((3000, 3000), np.float32)
    probability[100:200, 100:200] = 0.9
    peak = peak_of(Way(title="plain", kind="plain labels"), probability)
    # It holds at least a distance of float64 and labels of int32 for every px.
    assert 12 * 9 < peak < 100 * 9


def test_a_way_that_fails_has_no_peak():
    assert peak_of(Way(title="none", kind="no such kind"), np.zeros((9, 9))) is None
