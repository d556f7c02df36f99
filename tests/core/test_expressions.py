"""Expressions mean what they say, and every mistake is underlined where it stands."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.core import paths
from latentlab.core.encodings import EncodingSet
from latentlab.core.errors import ExpressionError
from latentlab.core.expressions import Scope, completions, evaluate, scope_of, word_start
from latentlab.core.spaces import FloatArray, LatentSpace
from latentlab.core.state import Group, NamedLatent, State

DIM = 4
SPACE = LatentSpace("z", (DIM,))
RNG = np.random.default_rng(0)
CURRENT, BOOKMARK, GLASSES, SMILE = RNG.standard_normal((4, DIM)).astype(np.float32)
A_GD = RNG.standard_normal((3, DIM)).astype(np.float32)
ENCODINGS = EncodingSet(RNG.standard_normal((50, DIM)).astype(np.float32))
SCOPE = Scope(
    points={"current": CURRENT, "sample 3": BOOKMARK},
    directions={
        "Eyeglasses": GLASSES,
        "Smiling": SMILE,
        "hair colour": GLASSES + SMILE,
        "Größe": SMILE,
        "Brown_Hair": SMILE,
    },
    groups={"A": A_GD, "B": np.zeros((0, DIM), np.float32), "group 1": A_GD[:1]},
    encodings=ENCODINGS,
    space=SPACE,
)
MEAN_A = A_GD.mean(axis=0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("current", CURRENT),
        ("  current  ", CURRENT),
        ("current + 1.5*Eyeglasses - 0.5*Smiling", CURRENT + 1.5 * GLASSES - 0.5 * SMILE),
        ("current − 2·Smiling × .5", CURRENT - SMILE),
        ("current + Smiling*2/4", CURRENT + SMILE / 2),
        ("current - -Smiling", CURRENT + SMILE),
        ("current - (Smiling - Eyeglasses)", CURRENT - SMILE + GLASSES),
        ("current + 2*3*Smiling", CURRENT + 6 * SMILE),
        ("current + (1 + 2*3 - 4/2)*Smiling", CURRENT + 5 * SMILE),
        ("1e-1 * current", CURRENT / 10),
        ("-current", -CURRENT),
        ('current + "hair colour"', CURRENT + GLASSES + SMILE),
        ("current + Größe", CURRENT + SMILE),
        ('current + "Brown Hair"', CURRENT + SMILE),  # as the window shows it
        ('"sample 3"', BOOKMARK),
        ("A", MEAN_A),
        ("mean(A)", MEAN_A),
        ("mean(group A)", MEAN_A),
        ("group 1", A_GD[0]),
        ("mean(#1, #2)", (ENCODINGS.latents[1] + ENCODINGS.latents[2]) / 2),
        ("A - #7 + current", MEAN_A - ENCODINGS.latents[7] + CURRENT),
        (
            "current + 1.5*Eyeglasses - 0.5*Smiling + mean(group A) - #12",
            CURRENT + 1.5 * GLASSES - 0.5 * SMILE + MEAN_A - ENCODINGS.latents[12],
        ),
        ("current + mean(Smiling, Eyeglasses)", CURRENT + (SMILE + GLASSES) / 2),
        ("lerp(current, A, 0.25)", 0.75 * CURRENT + 0.25 * MEAN_A),
        ("current + lerp(Smiling, Eyeglasses, 1/2)", CURRENT + (SMILE + GLASSES) / 2),
        ("slerp(current, A, .3)", paths.slerp(CURRENT, MEAN_A, 0.3)),
        ("sample(5)", SPACE.sample(1, 5)[0]),
        ("current - current + A", MEAN_A),
    ],
)
def test_value(text: str, expected: FloatArray) -> None:
    found = evaluate(text, SCOPE)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("text", "column", "length", "message"),
    [
        ("", 0, 1, "Begin with 'current'"),
        ("   ", 0, 1, "Begin with 'current'"),
        ("current + Eyglasses", 10, 9, "Did you mean 'Eyeglasses'"),
        ("current + 1.5 Eyeglasses", 14, 10, "operator is missing before 'Eyeglasses'"),
        ("hair colour + current", 5, 6, 'quotation marks: "hair colour"'),
        ("mean(Brown Hair)", 11, 4, 'quotation marks: "Brown Hair"'),
        ('current + "hair', 10, 5, "never closed"),
        ("current + 3", 10, 1, "number 3 cannot be added to a picture"),
        ("3 + current", 0, 1, "number 3 cannot be added"),
        (" Eyeglasses ", 1, 10, "a direction"),
        ("A - #1", 0, 6, "a direction"),
        ("2 * 3", 0, 5, "the number 6"),
        ("B", 0, 1, "'B' is empty"),
        ("mean(group C)", 5, 7, "no group 'C'"),
        ("current + #50", 10, 3, "from #0 to #49"),
        ("#99999999999999999999", 0, 21, "from #0 to #49"),
        ("current - #", 10, 1, "A number must follow '#'"),
        ("current + (A", 10, 1, "never closed"),
        ("mean(A", 4, 1, "never closed"),
        ("mean(A B)", 7, 1, r"operator or '\)' is missing"),
        ("current)", 7, 1, "never opened"),
        ("current, A", 7, 1, "comma"),
        ("current + 1,5*Smiling", 11, 1, r"decimals have a point, as in 1\.5"),
        ("current +", 9, 1, "ends where a name"),
        ("current + * A", 10, 1, "expected before '\\*'"),
        ("mean()", 5, 1, r"expected before '\)'"),
        ("men(A)", 0, 3, "Did you mean 'mean'"),
        ("lerp(A, current)", 0, 16, r"lerp\(a, b, t\): it has 2 arguments"),
        ("lerp(A, 1, 2)", 0, 13, "a and b are pictures"),
        ("slerp(A, Smiling, .5)", 0, 21, "not between directions"),
        ("mean(1)", 0, 7, "a number has no place"),
        ("sample(A)", 0, 9, "the seed is one number"),
        ("sample(1.5)", 0, 11, "1.5 is no seed"),
        ("sample(-1)", 0, 10, "-1 is no seed"),
        ("current / 0", 10, 1, "divided by zero"),
        ("current / A", 10, 1, "divided by a picture"),
        ("current * Smiling", 0, 17, "only a number can"),
        ("current ? A", 8, 1, r"'\?' means nothing"),
        ("1e999 * current", 0, 5, "too large"),
        ("1e30 * 1e30 * current", 0, 21, "too large"),
        ("(" * 100 + "A" + ")" * 100, 60, 1, "60 levels"),
        ("-" * 100 + "A", 60, 1, "60 levels"),
        ("A+" * 5001 + "A", 10_000, 3, "10,000 are allowed"),
    ],
)
def test_mistake_is_underlined(text: str, column: int, length: int, message: str) -> None:
    with pytest.raises(ExpressionError, match=message) as caught:
        evaluate(text, SCOPE)
    assert (caught.value.column, caught.value.length) == (column, length)


def test_long_chains_are_fine() -> None:
    np.testing.assert_allclose(evaluate("current" + " + 0.01*Smiling" * 500, SCOPE), CURRENT + 5 * SMILE, rtol=1e-3)
    np.testing.assert_allclose(evaluate("A" + "-A+A" * 2400, SCOPE), MEAN_A, rtol=1e-3)


@settings(derandomize=True, max_examples=150)
@given(st.text('ABcurent+-*/()# ,."0123456789lpms\n\t\\é', max_size=25))
def test_any_text_has_a_value_or_a_place_for_the_underline(text: str) -> None:
    try:
        assert np.isfinite(evaluate(text, SCOPE)).all()
    except ExpressionError as error:
        place = (error.column, error.length)
        assert 0 <= place[0] <= len(text)
        assert place[1] >= 1


def test_without_encodings_or_space() -> None:
    bare = Scope(points={"current": CURRENT})
    with pytest.raises(ExpressionError, match="this model has none"):
        evaluate("#1", bare)
    with pytest.raises(ExpressionError, match="no model is open"):
        evaluate("sample(1)", bare)
    holes = EncodingSet(np.full((2, DIM), np.nan, np.float32))
    with pytest.raises(ExpressionError, match="not finite"):
        evaluate("#1", dataclasses.replace(bare, encodings=holes))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("cur", "current"),
        ("current + Ey", "Eyeglasses"),
        ("current + ey", "Eyeglasses"),
        ("current + 2*h", '"hair colour"'),
        ('current + "ha', '"hair colour"'),
        ("current + col", '"hair colour"'),
        ("me", "mean("),
        ("mean(group ", "A"),
    ],
)
def test_completions(text: str, first: str) -> None:
    found = completions(text, len(text), SCOPE)
    assert found[0] == first
    start = word_start(text, len(text))
    assert (text[:start] + found[0]).startswith(text[:start])


def test_completions_know_where_no_name_belongs() -> None:
    assert completions("current ", 8, SCOPE) == []
    assert completions("1.5 ", 4, SCOPE) == []
    assert set(SCOPE.directions) - {"hair colour"} <= set(completions("current + ", 10, SCOPE))
    assert set(completions("mean(group ", 11, SCOPE)) == {"A", "B", '"group 1"'}
    assert completions("Ey + current", 2, SCOPE) == ["Eyeglasses"]


def test_word_start() -> None:
    assert word_start("current + Ey", 12) == 10
    assert word_start("current + ", 10) == 10
    assert word_start('1 + "hair co', 12) == 4
    assert word_start('"a" + b', 7) == 6


def test_scope_of_the_open_work(full_state: State) -> None:
    space = LatentSpace("w", (4,))
    state = dataclasses.replace(full_state, groups=(Group("mine", np.array([0, 5, 99], np.int64)),))
    scope = scope_of(state, ENCODINGS, space)
    np.testing.assert_array_equal(evaluate("current", scope), state.latent)
    np.testing.assert_array_equal(evaluate("origin", scope), state.origin)
    np.testing.assert_array_equal(evaluate('"sample 3"', scope), state.walk.keyframes[0].latent)
    np.testing.assert_allclose(evaluate("group mine", scope), ENCODINGS.latents[[0, 5]].mean(axis=0), rtol=1e-6)
    expected = state.arithmetic.a[0].latent - np.mean([item.latent for item in state.arithmetic.b], axis=0)
    np.testing.assert_allclose(evaluate("A - B + C", scope), expected + state.arithmetic.c[0].latent, atol=1e-6)
    # An edit in an expression keeps what is locked, as the sliders do.
    moved = evaluate("current + Eyeglasses", scope) - state.latent
    assert abs(float(moved @ state.directions["Smiling"].vector)) < 1e-5


def test_empty_slots_are_known_but_empty(full_state: State) -> None:
    bare = State(origin=full_state.origin, base=full_state.base)
    scope = scope_of(bare, None, LatentSpace("z", (4,)))
    with pytest.raises(ExpressionError, match="'A' is empty"):
        evaluate("A", scope)
    filled = dataclasses.replace(bare, arithmetic=dataclasses.replace(bare.arithmetic, a=(NamedLatent(bare.base),)))
    np.testing.assert_array_equal(evaluate("A", scope_of(filled, None, LatentSpace("z", (4,)))), bare.base)
