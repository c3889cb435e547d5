"""What `make run` prints of the samples: a line for each group, and a row for each sample that went wrong."""
from __future__ import annotations

from .samples import Results, Row, Seen

RIGHT = Seen(status=200, outcome="recorded", session=None, notifications=[], quarantined=0)
LOST = Seen(status=503, outcome="failed", session=None, notifications=[], quarantined=0)


def test_samples_that_did_what_they_should_fold_to_a_line(capsys):
    results = Results(verbose=False)
    results.show("veriff", "samples", [Row("veriff/a", RIGHT, RIGHT), Row("veriff/b", LOST, LOST)])
    assert capsys.readouterr().out == "ok     veriff    2 of 2 samples did what they should\n"
    assert results.all_right


def test_a_sample_that_went_wrong_is_shown_with_what_was_expected_of_it(capsys):
    results = Results(verbose=False)
    results.show("wultra", "samples", [Row("wultra/a", RIGHT, RIGHT), Row("wultra/b", RIGHT, LOST)])
    results.show("veriff", "samples", [Row("veriff/a", RIGHT, RIGHT)])
    printed = capsys.readouterr().out
    assert printed.startswith("WRONG  wultra    1 of 2 samples did what they should\n")
    assert "wultra/a" not in printed and "veriff/a" not in printed
    [wrong] = [line for line in printed.splitlines() if "wultra/b" in line]
    [expected] = [line for line in printed.splitlines() if "expected" in line]
    assert "503  failed" in wrong and "200  recorded" in expected
    assert not results.all_right


def test_every_sample_is_shown_to_who_asks_for_it(capsys):
    Results(verbose=True).show("veriff", "samples", [Row("veriff/a", RIGHT, RIGHT), Row("veriff/b", LOST, LOST)])
    rows = [line.split()[:2] for line in capsys.readouterr().out.splitlines() if "veriff/" in line]
    assert rows == [["ok", "veriff/a"], ["ok", "veriff/b"]]
