"""Regular expressions that RE2 and PostgreSQL read alike, and neither takes long over.

Neither engine goes back and forth: the time grows with the text, whatever the pattern. What the two read differently
is either written out for each, character by character, or refused. The size is bounded, so that compiling is quick.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from oneo.errors import UserError

MAX_LENGTH = 500
MAX_SIZE = 1000
MAX_REPEAT = 100
_MAX_DEPTH = 30
_HINT = (
    "known: literals, . [a-z] [^a-z] ( | ) * + ? {m,n} ^ $ \\b \\d \\D \\w \\W \\s \\S, and (?i) at the start"
)
_CLASSES = {
    "d": ((48, 57),),
    "w": ((48, 57), (65, 90), (95, 95), (97, 122)),
    "s": ((9, 13), (32, 32)),
}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_ANCHORS = {"^": ("\\A", "\\A"), "$": ("\\z", "\\Z"), "b": ("\\b", "\\y")}
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern in the spellings of both engines.

    Attributes:
        re2: For memory.
        sql: For PostgreSQL's `~`, with collation "C".
    """

    re2: str
    sql: str

    def found_in(self, text: str) -> bool:
        """Whether some part of the text fits."""
        return _compiled(self.re2).search(text) is not None


@lru_cache(maxsize=256)
def pattern(source: str) -> Pattern:
    """A pattern as its author wrote it.

    Raises:
        UserError: It is none, is too large, or holds what only some engines know (such as a look-ahead).
    """
    if len(source) > MAX_LENGTH:
        raise UserError(f"the pattern has {len(source)} characters", hint=f"at most {MAX_LENGTH}")
    reader = _Reader(source)
    made, size = reader.alternatives(0)
    if reader.at < len(reader.source):
        raise reader.wrong("a ) that closes nothing")
    if size > MAX_SIZE:
        raise UserError("the pattern is too large once its repetitions are written out", hint="repeat less")
    return made


@lru_cache(maxsize=256)
def _compiled(source: str) -> Any:
    import re2  # noqa: PLC0415 - only filters with patterns need it

    options = re2.Options()
    options.log_errors = False
    return re2.compile(source, options)


class _Reader:
    """Reads a pattern from left to right, writing both spellings at once."""

    def __init__(self, source: str) -> None:
        self.folds = source.startswith("(?i)")
        self.source = source.removeprefix("(?i)")
        self.at = 0

    def alternatives(self, depth: int) -> tuple[Pattern, int]:
        """Branches up to the end or a closing parenthesis, and how large they are."""
        if depth > _MAX_DEPTH:
            raise self.wrong("groups too deep")
        branches, size = [self._branch(depth)], 0
        while self._takes("|"):
            branches.append(self._branch(depth))
        size = sum(one[1] for one in branches)
        parts = [one[0] for one in branches]
        return Pattern("|".join(one.re2 for one in parts), "|".join(one.sql for one in parts)), size

    def _branch(self, depth: int) -> tuple[Pattern, int]:
        made, size = Pattern("", ""), 0
        while self.at < len(self.source) and self.source[self.at] not in "|)":
            atom, atom_size, repeats = self._atom(depth)
            start = self.at
            suffix, times = self._quantifier()
            if suffix and not repeats:
                self.at = start
                raise self.wrong("nothing that could be repeated before it")
            made = Pattern(made.re2 + atom.re2 + suffix, made.sql + atom.sql + suffix)
            size += atom_size * times
        return made, size

    def _atom(self, depth: int) -> tuple[Pattern, int, bool]:
        """One character, class, group or anchor; its size; and whether it can be repeated."""
        character = self._next()
        if character == "(":
            if self._takes("?") and not self._takes(":"):
                raise self.wrong("a kind of group that is not known")
            inner, size = self.alternatives(depth + 1)
            if not self._takes(")"):
                raise self.wrong("no ) for a (")
            return Pattern(f"(?:{inner.re2})", f"(?:{inner.sql})"), max(size, 1), True
        if character == "[":
            return self._brackets(), 1, True
        if character == ".":
            return one_of([(10, 10)], negated=True), 1, True
        if character in "^$":
            return Pattern(*_ANCHORS[character]), 1, False
        if character in "*+?{":
            self.at -= 1
            raise self.wrong("nothing that could be repeated before it")
        if character != "\\":
            return one_of(self.cased(character)), 1, True
        escaped = self._next()
        if escaped == "b":
            return Pattern(*_ANCHORS["b"]), 1, False
        if escaped.lower() in _CLASSES:
            return one_of(list(_CLASSES[escaped.lower()]), negated=escaped.isupper()), 1, True
        return one_of(self.cased(self._plain(escaped))), 1, True

    def _brackets(self) -> Pattern:
        negated, ranges = self._takes("^"), list[Range]()
        while not (ranges and self._takes("]")):
            first = self._next()
            if first == "\\":
                escaped = self._next()
                if escaped in _CLASSES:
                    ranges += _CLASSES[escaped]
                    continue
                first = self._plain(escaped)
            elif first == "[" or (first == "]" and not ranges):
                raise self.wrong(f"an unescaped {first} in brackets")
            last = first
            if self.source[self.at : self.at + 1] == "-" and self.source[self.at + 1 : self.at + 2] != "]":
                self.at += 1
                last = self._next()
                last = self._plain(self._next()) if last == "\\" else last
            if last < first:
                raise self.wrong(f"a range that ends before it starts, {first}-{last},")
            ranges += self.cased(first) if last == first else self._cased_range(ord(first), ord(last))
        return one_of(ranges, negated=negated)

    def _quantifier(self) -> tuple[str, int]:
        """How often what stands before it comes, as written for both, and what it multiplies the size by."""
        if self._takes("*"):
            return "*", 1
        if self._takes("+"):
            return "+", 2
        if self._takes("?"):
            return "?", 1
        if not self._takes("{"):
            return "", 1
        inside, closed, _rest = self.source[self.at :].partition("}")
        least, comma, most = inside.partition(",")
        numbers = [one for one in (least, most) if one]
        if not closed or not least or not all(one.isascii() and one.isdigit() for one in numbers):
            raise self.wrong("a { that is no repetition such as {2,5}; write \\{ for the character,")
        if any(len(one) > 3 or int(one) > MAX_REPEAT for one in numbers) or (most and int(most) < int(least)):
            raise self.wrong(f"a repetition that is not from 0 to {MAX_REPEAT}, the smaller number first,")
        self.at += len(inside) + 1
        bounds = f"{int(least)}{comma}{int(most) if most else ''}"
        return f"{{{bounds}}}", max(int(most or least) + (comma != "" and not most), 1)

    def _plain(self, escaped: str) -> str:
        if escaped in _CONTROLS:
            return _CONTROLS[escaped]
        if escaped.isalnum():
            raise self.wrong(f"\\{escaped}, which is not known,")
        return escaped

    def cased(self, character: str) -> list[Range]:
        """The character; where case does not matter, in both."""
        both = {character, character.lower(), character.upper()} if self.folds else {character}
        return [(ord(one), ord(one)) for one in sorted(both) if len(one) == 1]

    def _cased_range(self, first: int, last: int) -> list[Range]:
        ranges = [(first, last)]
        if self.folds:
            # Letters of ASCII; others have their other case elsewhere.
            for lowest, other in ((65, 32), (97, -32)):
                low, high = max(first, lowest), min(last, lowest + 25)
                ranges += [(low + other, high + other)] if low <= high else []
        return ranges

    def _takes(self, character: str) -> bool:
        taken = self.source[self.at : self.at + 1] == character
        self.at += taken
        return taken

    def _next(self) -> str:
        if self.at >= len(self.source):
            raise self.wrong("an end where something should follow")
        self.at += 1
        return self.source[self.at - 1]

    def wrong(self, what: str) -> UserError:
        """The error about what stands where the reader is."""
        at = self.at + (4 if self.folds else 0)
        return UserError(f"the pattern has {what} at character {at + 1}", hint=_HINT)


def one_of(ranges: list[Range], *, negated: bool = False) -> Pattern:
    """One character of a set, as code points: nothing in it can be mistaken for syntax."""
    start = "[^" if negated else "["
    re2 = "".join(f"\\x{{{low:x}}}-\\x{{{high:x}}}" for low, high in ranges)
    sql = "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges)
    return Pattern(f"{start}{re2}]", f"{start}{sql}]")


def literal(text: str) -> Pattern:
    """A text as it stands, in whatever case."""
    reader = _Reader("(?i)")
    parts = [one_of(reader.cased(character)) for character in text]
    return Pattern("".join(one.re2 for one in parts), "".join(one.sql for one in parts))
