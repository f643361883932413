"""Names in Armenian letters written in Latin ones, so that a reader of the tables can say them.

After the BGN/PCGN system of 1981 (eastern Armenian), without its apostrophes and with one r, as maps in English do.
"""

from __future__ import annotations

_LETTERS = {
    "ա": "a", "բ": "b", "գ": "g", "դ": "d", "ե": "e", "զ": "z", "է": "e", "ը": "y", "թ": "t", "ժ": "zh", "ի": "i",
    "լ": "l", "խ": "kh", "ծ": "ts", "կ": "k", "հ": "h", "ձ": "dz", "ղ": "gh", "ճ": "ch", "մ": "m", "յ": "y", "ն": "n",
    "շ": "sh", "ո": "o", "չ": "ch", "պ": "p", "ջ": "j", "ռ": "r", "ս": "s", "վ": "v", "տ": "t", "ր": "r", "ց": "ts",
    "ւ": "v", "փ": "p", "ք": "k", "օ": "o", "ֆ": "f", "և": "ev",
}  # fmt: skip
_VOWELS = "աեէըիոօ"


def transliterate(name: str) -> str:
    """A name with its Armenian letters in Latin ones; other letters stay as they are.

    >>> transliterate("Նռնաձոր"), transliterate("Որոտան"), transliterate("Շուռնուխ"), transliterate("Çayzəmi")
    ('Nrnadzor', 'Vorotan', 'Shurnukh', 'Çayzəmi')
    """
    words = []
    for word in name.split(" "):
        plain = word.lower().replace("եւ", "և")
        if not any(letter in _LETTERS for letter in plain):
            words.append(word)
            continue
        latin = "-".join(_word(part) for part in plain.split("-"))
        words.append(
            "-".join(p[:1].upper() + p[1:] for p in latin.split("-")) if word[:1] != word[:1].lower() else latin
        )
    return " ".join(words)


def _word(word: str) -> str:
    out = []
    for index, letter in enumerate(word):
        after = word[index + 1 : index + 2]
        if letter == "ո" and after == "ւ":
            out.append("u")
        elif letter == "ւ" and index and word[index - 1] == "ո":
            continue
        elif letter in "եո" and index == 0:
            out.append(("ye" if letter == "ե" else "vo") if after != "ւ" else "u")
        elif letter == "և" and index == 0:
            out.append("yev")
        elif letter == "ե" and word[index - 1] in _VOWELS:
            out.append("ye")
        else:
            out.append(_LETTERS.get(letter, letter))
    return "".join(out)
