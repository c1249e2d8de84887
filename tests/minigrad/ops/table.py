"""Every operation of minigrad as a row of one of the tables in ``tables/``. A new primitive needs a row there."""

from tests.minigrad.ops.row import Row
from tests.minigrad.ops.tables.activations import ACTIVATIONS
from tests.minigrad.ops.tables.elementwise import CONVERSIONS, ELEMENTWISE, NUMPYS
from tests.minigrad.ops.tables.indices import INDICES
from tests.minigrad.ops.tables.losses import LOSSES
from tests.minigrad.ops.tables.products import PRODUCTS
from tests.minigrad.ops.tables.reductions import REDUCTIONS
from tests.minigrad.ops.tables.shapes import SHAPES

ROWS: list[Row] = [
    *ELEMENTWISE,
    *ACTIVATIONS,
    *NUMPYS,
    *REDUCTIONS,
    *SHAPES,
    *INDICES,
    *PRODUCTS,
    *LOSSES,
    *CONVERSIONS,
]
