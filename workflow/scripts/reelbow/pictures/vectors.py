"""Sums of eight rows of eight values, for compiled functions.

LLVM makes vectors of long loops only, and a block of a JPEG is short. So these are
written out, with an order of their sums that gives the same bits on every machine. All
arrays are flat, contiguous and of float32, all indices uint64; nothing looks whether
they are within.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_ONE, _INDEX, _LANE = ir.FloatType(), ir.IntType(64), ir.IntType(32)
_EIGHT = ir.VectorType(_ONE, 8)
_NOTHING = _INDEX(0)


class _Code:
    """Writes LLVM's code of one call; arguments are named by their place."""

    def __init__(
        self, context: Any, builder: Any, signature: Any, arguments: Any
    ) -> None:
        self._context = context
        self._signature = signature
        self._arguments = arguments
        self.builder = builder

    def move(self, start: int, by: Any = _NOTHING) -> Any:
        """Add to an index."""
        return self.builder.add(self._arguments[start], by)

    def scale(self, step: int, by: int) -> Any:
        """Multiply an index."""
        return self.builder.mul(self._arguments[step], _INDEX(by))

    def shift_down(self, number: int, by: int) -> Any:
        """Divide a number by 2 to the power of an index."""
        return self.builder.lshr(_INDEX(number), self._arguments[by])

    def load(self, array: int, at: Any, kind: Any = _EIGHT) -> Any:
        """Load a value or eight."""
        return self.builder.load(self._find(array, at, kind), align=4)

    def store(self, array: int, at: Any, values: Any) -> None:
        """Store eight values."""
        self.builder.store(values, self._find(array, at, _EIGHT), align=4)

    def _find(self, array: int, at: Any, kind: Any) -> Any:
        make = self._context.make_array(self._signature.args[array])
        data = make(self._context, self.builder, self._arguments[array]).data
        return self.builder.bitcast(self.builder.gep(data, [at]), kind.as_pointer())

    def shuffle(self, one: Any, two: Any, lanes: list[int]) -> Any:
        """Choose eight of sixteen values."""
        mask = ir.Constant(ir.VectorType(_LANE, 8), lanes)
        return self.builder.shuffle_vector(one, two, mask)

    def repeat(self, value: Any) -> Any:
        """Make eight of one."""
        first = self.builder.insert_element(_EIGHT(ir.Undefined), value, _LANE(0))
        return self.shuffle(first, first, [0] * 8)

    def add_up(self, values: list[Any]) -> Any:
        """Add up vectors, in pairs."""
        while len(values) > 1:
            pairs = zip(values[::2], values[1::2], strict=True)
            values = [self.builder.fadd(*pair) for pair in pairs]
        return values[0]

    def add_across(self, values: list[Any]) -> Any:
        """Add up the values of each of eight vectors, in pairs, to one vector."""
        while len(values) > 1:
            pairs = zip(values[::2], values[1::2], strict=True)
            values = [
                self.builder.fadd(
                    self.shuffle(one, two, [0, 2, 4, 6, 8, 10, 12, 14]),
                    self.shuffle(one, two, [1, 3, 5, 7, 9, 11, 13, 15]),
                )
                for one, two in pairs
            ]
        return values[0]


def _add_weighted(n_rows: int) -> Any:
    """Make `add_row` or `add_rows`."""

    @intrinsic
    def add(
        _: Any,
        to: Any,
        to_at: Any,
        weights: Any,
        weight: Any,
        rows: Any,
        row: Any,
        step: Any,
    ) -> Any:
        def generate(*about: Any) -> Any:
            code = _Code(*about)
            products = [
                code.builder.fmul(
                    code.repeat(code.load(2, code.move(3, _INDEX(i)), _ONE)),
                    code.load(4, code.move(5, code.scale(6, i))),
                )
                for i in range(n_rows)
            ]
            total = code.builder.fadd(code.load(0, code.move(1)), code.add_up(products))
            code.store(0, code.move(1), total)
            return about[0].get_dummy_value()

        return types.void(to, to_at, weights, weight, rows, row, step), generate

    return add


# to[8] += weights[1] @ rows[1, 8], or weights[8] @ rows[8, 8], which are `step` apart;
# called as (to, to_at, weights, weight, rows, row, step).
add_row = _add_weighted(1)
add_rows = _add_weighted(8)


@intrinsic
def _add_dots(
    _: Any, to: Any, to_at: Any, weights: Any, weight: Any, rows: Any, row: Any
) -> Any:
    """to[8] += rows[8, 8] @ weights[8]; rows are side by side."""

    def generate(*about: Any) -> Any:
        code = _Code(*about)
        factors = code.load(2, code.move(3))
        products = [
            code.builder.fmul(code.load(4, code.move(5, _INDEX(8 * i))), factors)
            for i in range(8)
        ]
        total = code.builder.fadd(code.load(0, code.move(1)), code.add_across(products))
        code.store(0, code.move(1), total)
        return about[0].get_dummy_value()

    return types.void(to, to_at, weights, weight, rows, row), generate


@intrinsic
def _multiply(
    _: Any,
    to: Any,
    to_at: Any,
    weights: Any,
    weight: Any,
    shift: Any,
    rows: Any,
    row: Any,
    step: Any,
) -> Any:
    """to[8, 8] = weights[8, 8] @ rows[8, 8], whose rows are `step` apart.

    The result has eight rows also where each row of weights counts for 2**`shift` ones.
    """

    def generate(*about: Any) -> Any:
        code = _Code(*about)
        values = [code.load(5, code.move(6, code.scale(7, i))) for i in range(8)]
        for i in range(8):
            own = code.builder.shl(code.shift_down(i, 4), _INDEX(3))
            products = []
            for j, value in enumerate(values):
                at = code.builder.add(code.move(3, own), _INDEX(j))
                weight = code.repeat(code.load(2, at, _ONE))
                products.append(code.builder.fmul(weight, value))
            code.store(0, code.move(1, _INDEX(8 * i)), code.add_up(products))
        return about[0].get_dummy_value()

    return types.void(to, to_at, weights, weight, shift, rows, row, step), generate


# Called without the first argument.
add_dots: Any = _add_dots
multiply: Any = _multiply
