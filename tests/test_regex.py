"""Regular expressions: ``re`` stands in for PCRE2 only where it says the same; bounds; bad patterns."""

from __future__ import annotations

import os
import random
import time

import pytest
from eximious.interpreter.regex import BadPattern, Regex, compile_regex
from eximious.interpreter.regex_plain import STEPS, translate

#: parts that random patterns are made of, parted by blanks
WORDS = r"""
 a b B . \. @ * + ? {2} {1,2} {2,} {0,1} ( ( ) ) (?: [ab] [^a] [a-c.] [^\d] [\w.-] [[:alpha:]] []x] [^]]
 \d \W \s \b | ^ $ \z \Z \A \x41 - *? +? ?? 0 [A-Z] [Z-a] \n .* .+ [^@]+ (.+) ([^@]*) (?i) foo [[:upper:]]
 [[:space:]0] { } [a-] [-a] _ \_ \\ # & ~ [&&a] [[a] [a||b] \1 (?= *+ ++ \B \K (?<n> \Qa\E
"""
PIECES = [*WORDS.split(), " ", "\n", "\xe9", "\xc9", "[\xe0-\xef]", "[\x00-\x20]"]
SUBJECTS = [
    *"abBA.@01-_xzZ][\\&|~{}",
    " ",
    "\n",
    "\r",
    "\x0b",
    "\xe9",
    "\xc9",
    "foo",
    "FOO",
    "a@b",
    ".a",
    "{2}",
]
#: pattern and subject pairs; EXIMIOUS_REGEX_PAIRS=200000 for a long run
PAIRS = int(os.environ.get("EXIMIOUS_REGEX_PAIRS", "20000"))


def test_re_and_pcre2_agree() -> None:
    """Random patterns that are translated match and capture the same, from any offset; bad ones are not."""
    source = random.Random(PAIRS)
    done = translated = 0
    while done < PAIRS:
        pattern = "".join(source.choice(PIECES) for _ in range(source.randrange(1, 9)))
        caseless = source.random() < 0.3
        try:
            slow, fast = Regex(pattern, caseless), Regex(pattern, caseless)
        except BadPattern:
            assert translate(pattern, caseless) is None, pattern
            continue
        fast._translate()
        if fast._fast is None:
            continue
        translated += 1
        for _ in range(10):
            subject = "".join(source.choice(SUBJECTS) for _ in range(source.randrange(9)))
            start = 0 if source.random() < 0.8 else source.randrange(len(subject) + 1)
            assert slow.search(subject, start) == fast.search(subject, start), (
                pattern,
                caseless,
                subject,
                start,
            )
            slow._uses = 0
            done += 1
    assert translated > 500


def test_hot_patterns_go_over() -> None:
    regex = Regex(r"^([^@]+)@(.+)$", False)
    for _ in range(100):
        assert regex.search("a@b.c") == ["a@b.c", "a", "b.c"]
    assert regex._fast is not None
    long = "a" * 5000 + "@b"
    assert regex.search(long) == [long, "a" * 5000, "b"]  # too long for re's bound: PCRE2 again


@pytest.mark.parametrize(
    "pattern", [r"(a+)+b", r"(?:a|a)*b", r"(a*)*", r"(a)|b", r"(a)?b", r"a*+b", r"(?:a|b)+", r"\1"]
)
def test_not_translated(pattern: str) -> None:
    assert translate(pattern) is None


def test_effort_is_bounded() -> None:
    """What would take for ever ends, as no match; and re is given only what it does in bounded steps."""
    begin = time.monotonic()
    assert compile_regex("^(a|aa)+$").search("a" * 60 + "b") is None
    assert time.monotonic() - begin < 20
    plain = translate("x.*y.*z")
    assert plain is not None
    assert plain.longest**3 <= STEPS


def test_all_matches() -> None:
    def shown(pattern: str, subject: str) -> list[tuple[int, int, list[str]]]:
        return list(compile_regex(pattern).matches_of(subject))

    assert shown("x*", "axb") == [(0, 0, [""]), (1, 2, ["x"]), (2, 2, [""]), (3, 3, [""])]
    assert shown("(a)|(b)", "ab") == [(0, 1, ["a", "a"]), (1, 2, ["b", "", "b"])]
    assert shown("^", "a\nb") == [(0, 0, [""])]
    assert shown("q", "abc") == []


def test_captures_are_at_most_twenty() -> None:
    found = compile_regex("(.)" * 30).search("x" * 30)
    assert found is not None
    assert len(found) == 21


def test_bad_pattern() -> None:
    with pytest.raises(BadPattern) as error:
        compile_regex("a{2,1}")
    assert error.value.message == (
        'regular expression error in "a{2,1}": numbers out of order in {} quantifier at offset 5'
    )
    assert error.value.place == 5


def test_the_package_is_what_we_take_it_for() -> None:
    r"""Its inner functions are used, without the options that it adds: \x takes one digit or braces."""
    assert compile_regex(r"^\x4\x{41}$").search("\x04A") == ["\x04A"]
    assert compile_regex(r"^\C\C$").matches("\xc3\n")
    with pytest.raises(BadPattern, match="PCRE2 does not support"):
        compile_regex(r"\u0041")
