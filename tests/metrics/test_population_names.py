"""Armenian names in Latin letters as the maps write them."""

import pytest

from corridor.interactions.events import transliterate

# native name and how gazetteers in English spell it
KNOWN = {
    "Կապան": "Kapan", "Գորիս": "Goris", "Սիսիան": "Sisian", "Քաջարան": "Kajaran", "Մեղրի": "Meghri",
    "Ագարակ": "Agarak", "Շվանիձոր": "Shvanidzor", "Նռնաձոր": "Nrnadzor", "Տաթև": "Tatev", "Վայք": "Vayk",
    "Անգեղակոթ": "Angeghakot", "Կոռնիձոր": "Kornidzor", "Որոտան": "Vorotan", "Եղվարդ": "Yeghvard",
    "Շուռնուխ": "Shurnukh", "Նոր Առաջաձոր": "Nor Arajadzor", "Երևան": "Yerevan", "Եղեգնաձոր": "Yeghegnadzor",
    "Երասխ": "Yeraskh", "Դավիթ-Բեկ": "Davit-Bek", "Ծավ": "Tsav",
}  # fmt: skip


@pytest.mark.parametrize(("native", "english"), KNOWN.items())
def test_names_come_out_as_gazetteers_spell_them(native, english):
    assert transliterate(native) == english


@pytest.mark.parametrize("name", ["Çayzəmi", "Ордубад", "", "Meghri", "جلفا"])
def test_other_letters_stay(name):
    assert transliterate(name) == name
