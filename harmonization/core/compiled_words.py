"""Eight bytes at a time: what the compiled loops over bytes are made of.

A loop that reads one byte after the other waits for each; a word of eight is read in one instruction, wherever it
lies. `data` has to have eight bytes beyond the last one that is asked for.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

_WORD = ir.IntType(64)


def _load_word(_typing: Any, data: Any, at: Any) -> Any:
    """The eight bytes of `data` (uint8) from `at` on, the first as the lowest (uint64)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        proxy: Any = cgutils.create_struct_proxy(signature.args[0])  # type: ignore[no-untyped-call]
        array = proxy(context, builder, arguments[0])
        place = builder.bitcast(builder.gep(array.data, [arguments[1]]), _WORD.as_pointer())
        word = builder.load(place)
        word.align = 1
        return builder.bswap(word) if sys.byteorder == "big" else word

    return types.uint64(data, types.uint64), generate


def _lowest_bit(_typing: Any, word: Any) -> Any:
    """How many bits of `word` (uint64, not 0) are 0 below its lowest 1."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate


load_word: Any = intrinsic(_load_word)
lowest_bit: Any = intrinsic(_lowest_bit)


def repeated(sign: int) -> np.uint64:
    """A word of eight times the same byte."""
    return np.uint64(sign * 0x0101010101010101)
