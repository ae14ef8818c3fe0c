"""What is done to the code: Cosmic Ray's operators, a choice of them, and two that take out a condition.

Of its more than two hundred replacements of one operator by another, those are left out that change the same
thing again: whatever test notices `-` in the place of `+` notices `*` there too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import parso
from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.operators.provider import OperatorProvider

CHOSEN = (
    "AddNot",
    "ExceptionReplacer",
    "NumberReplacer",
    "ReplaceAndWithOr",
    "ReplaceBinaryOperator_Add_Sub",
    "ReplaceBinaryOperator_BitAnd_BitOr",
    "ReplaceBinaryOperator_BitOr_BitAnd",
    "ReplaceBinaryOperator_Div_Mul",
    "ReplaceBinaryOperator_FloorDiv_Div",
    "ReplaceBinaryOperator_Mod_Mul",
    "ReplaceBinaryOperator_Mul_Div",
    "ReplaceBinaryOperator_Pow_Mul",
    "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBreakWithContinue",
    "ReplaceComparisonOperator_Eq_NotEq",
    "ReplaceComparisonOperator_GtE_Gt",
    "ReplaceComparisonOperator_GtE_Lt",
    "ReplaceComparisonOperator_Gt_GtE",
    "ReplaceComparisonOperator_Gt_LtE",
    "ReplaceComparisonOperator_IsNot_Is",
    "ReplaceComparisonOperator_Is_IsNot",
    "ReplaceComparisonOperator_LtE_Gt",
    "ReplaceComparisonOperator_LtE_Lt",
    "ReplaceComparisonOperator_Lt_GtE",
    "ReplaceComparisonOperator_Lt_LtE",
    "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceContinueWithBreak",
    "ReplaceFalseWithTrue",
    "ReplaceOrWithAnd",
    "ReplaceTrueWithFalse",
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_USub_UAdd",
    "ZeroIterationForLoop",
)

Position = tuple[tuple[int, int], tuple[int, int]]


class RemoveGuard(Operator):
    """`if` and `elif` never hold: what they guard is not done."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        for place in self._places(node):
            yield node.children[place].start_pos, node.children[place].end_pos

    def mutate(self, node: Any, index: int) -> Any:
        node.children[self._places(node)[index]] = parso.parse(" False")
        return node

    @staticmethod
    def _places(node: Any) -> list[int]:
        if node.type != "if_stmt":
            return []
        return [
            place + 1
            for place, child in enumerate(node.children)
            if child.type == "keyword" and child.value in ("if", "elif")
        ]

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (Example("if x: pass", "if False: pass"),)


class KeepAll(Operator):
    """The condition of a comprehension always holds."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        if node.type == "comp_if":
            yield node.children[1].start_pos, node.children[1].end_pos

    def mutate(self, node: Any, index: int) -> Any:  # noqa: ARG002 - there is one
        node.children[1] = parso.parse(" True")
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (Example("[x for x in y if x]", "[x for x in y if True]"),)


def _is_inert(node: Any) -> bool:
    """Whether it is a decorator, an annotation or the `*` before keyword-only parameters.

    The type checker sees how a class is stored and a function called, and at run time nobody reads types.
    """
    child, parent = node, node.parent
    if parent is not None and parent.type == "parameters":
        return node.type == "operator"
    while parent is not None and parent.type not in ("suite", "file_input"):
        is_type = parent.type == "annassign" and parent.children[1] is child
        is_result = parent.type == "funcdef" and parent.annotation is child
        if is_type or is_result or parent.type in ("decorator", "tfpdef"):
            return True
        child, parent = parent, parent.parent
    return False


def _sparing_inert(operator: Any) -> Any:
    class Sparing(operator):
        def mutation_positions(self, node: Any) -> Iterator[Position]:
            # Cosmic Ray can replace a plain name of an exception, and fails at one with a dot.
            if not _is_inert(node) and not (node.type == "except_clause" and "." in node.get_code()):
                yield from super().mutation_positions(node)

    return Sparing


OWN = {one.__name__: one for one in (RemoveGuard, KeepAll)}


class Provider:
    """The operators in use, as `cosmic_ray.plugins` looks them up."""

    _core = OperatorProvider()

    def __iter__(self) -> Iterator[str]:
        return iter((*CHOSEN, *OWN))

    def __getitem__(self, name: str) -> Any:
        return _sparing_inert(OWN.get(name) or self._core[name])
