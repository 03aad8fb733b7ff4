"""What operators on variables do where a model is described."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.ops import arithmetic, elementwise, linear_algebra, logic, taking

_FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    operator.getitem: taking.get_item,
    operator.neg: elementwise.negative,
    operator.pos: symbolic.tensor,
    operator.abs: elementwise.absolute,
    operator.invert: logic.logical_not,
    np.round: arithmetic.round,
    operator.lt: logic.less,
    operator.le: logic.less_equal,
    operator.gt: logic.greater,
    operator.ge: logic.greater_equal,
    operator.eq: logic.equal,
    operator.ne: logic.not_equal,
    operator.add: arithmetic.add,
    operator.sub: arithmetic.subtract,
    operator.mul: arithmetic.multiply,
    operator.truediv: arithmetic.true_divide,
    operator.floordiv: arithmetic.floor_divide,
    operator.mod: arithmetic.mod,
    operator.pow: arithmetic.power,
    operator.matmul: linear_algebra.matmul,
    np.logical_and: logic.logical_and,
    np.logical_or: logic.logical_or,
    np.logical_xor: logic.logical_xor,
}


def recorded(
    function: Callable[..., Any], variable: Any, others: tuple[Any, ...], reflected: bool
) -> Any:
    """Record Python's operator ``function`` of a variable and other operands."""
    operands = (variable, *others)
    return _FUNCTIONS[function](*(reversed(operands) if reflected else operands))
