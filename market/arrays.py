"""Arrays by what they hold: one name each, for every signature."""

import numpy as np
from jaxtyping import Bool, Float64
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
DateArray = NDArray[np.datetime64]

#: A number, or a truth, of every session, oldest first; NaN is null.
BySession = Float64[np.ndarray, " n_sessions"]
HoldsBySession = Bool[np.ndarray, " n_sessions"]
