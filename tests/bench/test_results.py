"""The page of all results: it says who was not as claimed, and names every benchmark that can be run."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench import results
from bench.catalogue import CATALOGUE
from bench.results import SHORT, Ran, as_page, scalars

AT = datetime(2026, 11, 22, 6, tzinfo=UTC)


def test_a_claim_that_was_not_met_stands_in_its_row() -> None:
    page = as_page(
        [
            Ran("outbox", ("--rounds", "2"), 1, 12.4, 3.25, {"cpu_ratio": 9.2, "fast_enough": False}),
            Ran("mail", (), 1, 1.0, 0.5, {}, "it | broke\nhere"),
            Ran("rules", (), 0, 2.0, 0.5, {"levels": [{"n": 1}, {"n": 2}], "machine": {"cpus": 2}}),
        ],
        at=AT,
    )
    assert "| `outbox --rounds 2` | **no** | cpu_ratio 9.2, fast_enough **no** | 3.2 | 12 |" in page
    assert "| `mail` | **no** | it   broke here | 0.5 | 1 |" in page
    assert "| `rules` | yes | levels: n 2 | 0.5 | 2 |" in page
    assert "2026-11-22 06:00 UTC" in page
    assert page.endswith(
        f"Not in this run: {', '.join(name for name in SHORT if name not in ('outbox', 'mail', 'rules'))}.\n"
    )


def test_lists_of_numbers_and_nested_facts_are_left_to_the_json() -> None:
    assert scalars({"a": [1, 2], "b": {"c": 1}, "d": 1.5}) == ["d 1.5"]


def test_every_benchmark_of_the_catalogue_has_a_short_form() -> None:
    assert CATALOGUE.keys() - {"all", "soak"} <= SHORT.keys()


async def test_what_was_run_is_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "RESULTS.md")
    monkeypatch.setitem(SHORT, "rules", ("--seconds", "0.01"))
    found = await results.report(["rules"])
    page = (tmp_path / "RESULTS.md").read_text()
    assert found.keys() == {"rules"}
    assert f"| `rules --seconds 0.01` | {'yes' if found['rules'] else '**no**'} | conditions" in page
