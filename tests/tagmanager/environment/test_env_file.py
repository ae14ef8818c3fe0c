"""What a line of `.env` means, as people write it."""

from pathlib import Path

import pytest

from tagmanager.environment.env_file import EnvFile, read


def parsed(tmp_path: Path, text: str | bytes) -> EnvFile:
    path = tmp_path / ".env"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    found = read(path)
    faults, notes = (
        tuple(line.replace(str(path), ".env") for line in lines) for lines in (found.faults, found.notes)
    )
    return EnvFile(found.values, faults, notes)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("# a comment\n\n  # another\n", {}),
        ("A=1\nB=2", {"A": "1", "B": "2"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("A=1\rB=2\r", {"A": "1", "B": "2"}),
        ("\ufeffA=1\nB=2\n", {"A": "1", "B": "2"}),
        ("A=1\n\ufeffB=2\n", {"A": "1", "B": "2"}),
        ("\ufeff# comment\nB=2\n", {"B": "2"}),
        ("export A=1\nexport  B=2\n", {"A": "1", "B": "2"}),
        ("  A = 1  \n", {"A": "1"}),
        ("A=\nB=2\n", {"A": "", "B": "2"}),
        ("A= # empty so far\nB=2\n", {"A": "", "B": "2"}),
        ("A=1 # a comment\n", {"A": "1"}),
        ("A=pass#word\n", {"A": "pass#word"}),
        ("A=#word\n", {"A": "#word"}),
        ("A='pass # word'\n", {"A": "pass # word"}),
        ('A="pass # word" # a comment\n', {"A": "pass # word"}),
        ("A=$ecret\nB=a$b${c}\nC='$x'\n", {"A": "$ecret", "B": "a$b${c}", "C": "$x"}),
        ("A=it's\n", {"A": "it's"}),
        ("A=k=v==\n", {"A": "k=v=="}),
        ("A=dürüm\n", {"A": "dürüm"}),
    ],
)
def test_a_line_is_read_as_it_is_meant(tmp_path: Path, text: str, values: dict[str, str]) -> None:
    assert parsed(tmp_path, text) == EnvFile(values)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("A=1\n\nsecret\n", "Line 3 of .env is not of the form NAME=value."),
        ("export SECRET\n", "Line 1 of .env is not of the form NAME=value."),
        ("A B=secret\n", "Line 1 of .env is not of the form NAME=value."),
        ("my-name=secret\n", "Line 1 of .env is not of the form NAME=value."),
        ("\u200bA=secret\n", "Line 1 of .env is not of the form NAME=value."),
        ("=secret\n", "Line 1 of .env is not of the form NAME=value."),
        ("A='secret\n", "Line 1 of .env is not of the form NAME=value."),
        ('A="sec"ret\n', "Line 1 of .env is not of the form NAME=value."),
        ('\n\nA="secret\nB=2\nC="\n', "Line 3 of .env opens a quote that is not closed on that line."),
        ("A=1\0\n", ".env is not a text in UTF-8: it has NUL characters. Save it as UTF-8."),
        ("A=1\n".encode("utf-16"), ".env is not a text in UTF-8. Save it as UTF-8."),
        ("A=é\n".encode("latin-1"), ".env is not a text in UTF-8. Save it as UTF-8."),
    ],
)
def test_a_line_that_cannot_be_read_is_told_by_its_number_alone(
    tmp_path: Path, text: str | bytes, fault: str
) -> None:
    assert parsed(tmp_path, text).faults == (fault,)


def test_of_two_definitions_the_last_one_counts_and_a_note_says_so(tmp_path: Path) -> None:
    assert parsed(tmp_path, "A=1\n# x\nB=2\nexport A='3'\n") == EnvFile(
        {"A": "3", "B": "2"}, notes=("A is set twice in .env, on lines 1 and 4: the last one counts.",)
    )


def test_a_missing_file_is_empty_and_an_unreadable_one_is_told(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == EnvFile({})
    assert read(tmp_path) == EnvFile({}, (f"{tmp_path} cannot be read: Is a directory.",))
