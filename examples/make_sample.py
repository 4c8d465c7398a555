"""Writes the sample lists beside this file: `agents.csv` (10,000 rows) and `investigators.tsv` (50 rows, CP932).

    python examples/make_sample.py [--seed N] [--rows N] [--directory PLACE]

The same seed gives the same files. The numbers are random: they are shaped like real ones, because only such numbers
pass a numbering plan's check, so somebody may own one. The lists are for the simulator; never send to them for real.
Needs `phonenumbers`.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
from collections.abc import Callable
from pathlib import Path

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

SEED = 20260401
GOOD_SHARE = 0.94

HEADER = [
    " Employee ID ",
    "First name",
    "last_name",
    "Mobile Phone",
    "Home phone",
    "Time Zone",
    "Site",
    "Shift bonus",
    "Hiragana name",
    "Mood",
    "Note, if any",
]

# Region, share, first digits of mobile numbers, how many digits follow, zones that a person may have written down.
REGIONS: list[tuple[str, int, list[str], int, list[str]]] = [
    ("US", 46, ["212", "312", "415", "617", "206", "305", "512", "702", "808", "219", "480", "972"], 7,
     ["America/New_York", "EST", "Central", "America/Chicago", "PST", "Mountain Standard Time", "America/Los_Angeles"]),
    ("JP", 20, ["90", "80", "70"], 8, ["Asia/Tokyo", "JST"]),
    ("CA", 8, ["416", "604", "514", "403"], 7, ["America/Toronto", "Pacific", "America/Vancouver"]),
    ("GB", 7, ["7400", "7700", "7911", "7520"], 6, ["Europe/London", "BST"]),
    ("DE", 5, ["151", "160", "171", "176"], 8, ["Europe/Berlin", "CET"]),
    ("IN", 6, ["98", "99", "97", "88"], 8, ["Asia/Kolkata", "IST"]),
    ("BR", 4, ["119", "219", "319"], 8, ["America/Sao_Paulo"]),
    ("MX", 4, ["55", "33", "81"], 8, ["America/Mexico_City"]),
]  # fmt: skip
# Where the numbering plan tells landlines from mobiles.
LANDLINES = [("JP", "3", 8), ("GB", "20", 8), ("DE", "30", 7), ("IN", "11", 8)]

NAMES = {
    "US": (["James", "Mary", "Aaliyah", "Noah", "Olivia", "D'Andre", "Chloë", "Wei", "Sofía", "Liam"],
           ["Smith", "O'Brien", "Johnson", "Nguyen", "García", "Washington", "Smith-Jones", "Lee", "Brown", "Patel"]),
    "JP": (["太郎", "花子", "健一", "さくら", "翔太", "美咲", "直樹", "結衣", "大輔", "陽菜"],
           ["佐藤", "鈴木", "高橋", "田中", "渡辺", "伊藤", "山本", "中村", "髙﨑", "齋藤"]),
    "GB": (["Oliver", "Amelia", "Harry", "Isla", "Ffion"], ["Taylor", "Davies", "Evans", "MacDonald", "Wright"]),
    "DE": (["Jürgen", "Anna", "Lukas", "Jörg", "Käthe"], ["Müller", "Schäfer", "Weiß", "Schmidt", "von der Heide"]),
    "IN": (["Aarav", "Priya", "Rohan", "Ananya", "विजय"], ["Sharma", "Iyer", "Patel", "Singh", "Reddy"]),
    "BR": (["João", "Maria", "Antônio", "Conceição"], ["da Silva", "Souza", "Gonçalves", "Araújo"]),
    "MX": (["José", "Guadalupe", "Ángel", "Ximena"], ["Hernández", "Núñez", "López", "Ibáñez"]),
}  # fmt: skip
HIRAGANA = {
    "太郎": "たろう", "花子": "はなこ", "健一": "けんいち", "さくら": "さくら", "翔太": "しょうた",
    "美咲": "みさき", "直樹": "なおき", "結衣": "ゆい", "大輔": "だいすけ", "陽菜": "ひな",
}  # fmt: skip
SITES = ["Osaka 1", "Austin", "Manila", 'Leeds "North"', "São Paulo", "Toronto, ON", "東京本社", "Remote"]
BONUSES = ["$25", "¥3,000", "1.5x", "£20", "€ 18,50", "double time", "$40 + meal", ""]
MOODS = ["😀", "🎉🎉", "👩‍💻", "", "", "", "🇯🇵", "ok"]
NOTES = ["", "", "", "", "", 'prefers "nights"', "ask for Kim; no weekends", "line one\nline two",
         "on leave until 5/12", "=not a formula", "half-time, mornings", "  "]  # fmt: skip
# What may be wrong with a row, and how often.
FLAWS = {"repeated": 34, "short": 10, "landline": 10, "no id": 8, "letters": 8, "no phone": 8, "same id": 8,
         "fields": 4, "zone": 4, "invalid": 4, "long": 2}  # fmt: skip


class People:
    """Makes people whose numbers are valid, each different."""

    def __init__(self, choose: random.Random) -> None:
        self.choose = choose
        self.seen: set[str] = set()

    def region(self) -> str:
        return self.choose.choices([region[0] for region in REGIONS], [region[1] for region in REGIONS])[0]

    def number(self, region: str) -> phonenumbers.PhoneNumber:
        """A mobile number that the numbering plan knows and nobody here has yet."""
        _, _, prefixes, digits, _ = next(row for row in REGIONS if row[0] == region)
        while True:
            national = self.choose.choice(prefixes) + "".join(self.choose.choices("0123456789", k=digits))
            number = self._parsed(national, region)
            textable = phonenumbers.number_type(number) in (
                PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE,
            )  # fmt: skip
            key = phonenumbers.format_number(number, PhoneNumberFormat.E164)
            if textable and phonenumbers.region_code_for_number(number) == region and key not in self.seen:
                self.seen.add(key)
                return number

    def landline(self) -> phonenumbers.PhoneNumber:
        region, prefix, digits = self.choose.choice(LANDLINES)
        while True:
            rest = str(self.choose.randint(2, 9)) + "".join(self.choose.choices("0123456789", k=digits - 1))
            national = prefix + rest
            number = self._parsed(national, region)
            if phonenumbers.number_type(number) == PhoneNumberType.FIXED_LINE:
                return number

    @staticmethod
    def _parsed(national: str, region: str) -> phonenumbers.PhoneNumber:
        country = phonenumbers.country_code_for_region(region)
        return phonenumbers.parse(f"+{country}{national}")

    def written(self, number: phonenumbers.PhoneNumber, region: str) -> str:
        """As somebody might have typed it. The list is read with the default region US."""
        e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
        national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
        ways: list[Callable[[], str]] = [
            lambda: e164,
            lambda: international,
            lambda: f" {international}  ",
            lambda: e164.replace("+", "00" if region not in ("US", "CA") else "+"),
            lambda: international.replace("-", " "),
        ]
        if region in ("US", "CA"):
            digits = e164[2:]
            ways += [
                lambda: national,
                lambda: f"{digits[:3]}-{digits[3:6]}-{digits[6:]}",
                lambda: f"{digits[:3]}.{digits[3:6]}.{digits[6:]}",
                lambda: f"+1 ({digits[:3]}) {digits[3:6]}-{digits[6:]}",
                lambda: f"1{digits}",
                lambda: f"{digits}.0",  # a spreadsheet took it for a decimal number
                lambda: f"'{digits}",
                lambda: f"tel: {national}",
            ]
        if region == "JP":
            ways.append(lambda: e164.translate(str.maketrans("+0123456789", "＋０１２３４５６７８９")))
            ways.append(lambda: international.replace("-", "−").replace(" ", "　"))
        if region == "GB":
            ways.append(lambda: "+44 (0)" + e164[3:7] + " " + e164[7:])
        return self.choose.choice(ways)()

    def row(self, number: int) -> list[str]:
        region = self.region()
        first_names, last_names = NAMES.get(region, NAMES["US"])
        first, last = self.choose.choice(first_names), self.choose.choice(last_names)
        phone = self.number(region)
        mobile, home = self.written(phone, region), ""
        if region in ("US", "CA") and self.choose.random() < 0.1:
            mobile, home = "", mobile  # only the other column has it
        elif self.choose.random() < 0.15:
            home = phonenumbers.format_number(self.landline(), PhoneNumberFormat.INTERNATIONAL)
        zones = next(row for row in REGIONS if row[0] == region)[4]
        return [
            self.choose.choice([f"E{number:06d}", f" E{number:06d}", f"E{number:06d} "]),
            self.choose.choice([first, first, f"{first} "]),
            last,
            mobile,
            home,
            self.choose.choice(zones) if self.choose.random() < 0.3 else "",
            self.choose.choice(SITES),
            self.choose.choice(BONUSES),
            HIRAGANA.get(first, ""),
            self.choose.choice(MOODS),
            self.choose.choice(NOTES),
        ]


def spoil(people: People, row: list[str], earlier: list[list[str]]) -> list[str]:
    """The row with one thing wrong, as lists have it."""
    choose = people.choose
    phones = ("", "")
    kind = choose.choices(list(FLAWS), list(FLAWS.values()))[0]
    if kind == "repeated":
        number = phonenumbers.parse(_textable(choose.choice(earlier)), "US")
        phones = (people.written(number, phonenumbers.region_code_for_number(number) or "US"), "")
    elif kind == "short":
        phones = (choose.choice(["555-1234", "12345", "+81 90-1234", "(212) 555-12"]), "")
    elif kind == "landline":
        phones = (phonenumbers.format_number(people.landline(), PhoneNumberFormat.INTERNATIONAL), "")
    elif kind == "letters":
        phones = (choose.choice(["n/a", "unknown", "ask HR", "1-800-FLOWERS", "8.19012E+11", "なし"]), "")
    elif kind == "invalid":
        phones = (choose.choice(["+1 000 555 1234", "+999 123 456 789", "(123) 456-7890", "+81 10-0000-0000"]), "")
    elif kind == "long":
        phones = (f"{row[3] or row[4]} / +1 415 555 26712345", "")
    elif kind != "no phone":
        phones = (row[3], row[4])
    row[3:5] = phones
    if kind == "no id":
        row[0] = choose.choice(["", "  "])
    elif kind == "same id":
        row[0] = choose.choice(earlier)[0]
    elif kind == "zone":
        row[5] = choose.choice(["Mars/Olympus", "GMT+25", "-05:00", "here"])
    elif kind == "fields":
        return row[:7] if choose.random() < 0.5 else [*row, "one field too many"]
    return row


def _textable(row: list[str]) -> str:
    """The number of a good row, plain enough for the library."""
    raw = (row[3].strip() or row[4]).removeprefix("tel: ").removeprefix("'")
    return raw.removesuffix(".0").replace("(0)", "").replace("−", "-")


def agents(seed: int, rows: int) -> bytes:
    """The sample list: UTF-8 with a byte order mark, as spreadsheets save it."""
    choose = random.Random(seed)  # noqa: S311
    people = People(choose)
    good: list[list[str]] = []
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    for number in range(1, rows + 1):
        row = people.row(number)
        if len(good) > 20 and choose.random() > GOOD_SHARE:
            row = spoil(people, row, good)
        else:
            good.append(list(row))
        writer.writerow(row)
        if choose.random() < 0.0005:
            text.write(choose.choice(["\r\n", ",,,,,,,,,,\r\n"]))
    return text.getvalue().encode("utf-8-sig")


def investigators(seed: int) -> bytes:
    """A small Japanese list as Japanese Excel saves it: tabs, CP932."""
    choose = random.Random(seed)  # noqa: S311
    people = People(choose)
    lines = ["調査員番号\t氏名\tふりがな\t携帯電話\t担当地区"]
    for number in range(1, 51):
        first, last = choose.choice(NAMES["JP"][0]), choose.choice(NAMES["JP"][1])
        national = phonenumbers.format_number(people.number("JP"), PhoneNumberFormat.NATIONAL)
        area = choose.choice(["新宿区", "大阪市北区", "札幌市", "那覇市", "横浜市港北区"])
        lines.append(f"T-{number:03d}\t{last}　{first}\t{HIRAGANA[first]}\t{national}\t{area}")
    return ("\r\n".join(lines) + "\r\n").encode("cp932")


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--seed", type=int, default=SEED)
    arguments.add_argument("--rows", type=int, default=10_000)
    arguments.add_argument("--directory", type=Path, default=Path(__file__).parent)
    given = arguments.parse_args()
    (given.directory / "agents.csv").write_bytes(agents(given.seed, given.rows))
    (given.directory / "investigators.tsv").write_bytes(investigators(given.seed))


if __name__ == "__main__":
    main()
