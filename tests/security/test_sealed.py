"""What people do while the server runs is sealed soon afterwards, and a change behind its back is found."""

from pathlib import Path

import pytest

from profiles import seals
from profiles.seals import verify
from tests.security.fortress import fortress
from tests.waiting import until

ACTED = ("audit", "consents")


async def test_acts_and_consents_are_sealed_while_the_server_runs(
    mongo_url: str, database_name: str, free_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "SEAL_SECONDS", 0.1)
    async with fortress(mongo_url, database_name, free_port, tmp_path) as castle:
        await castle.people()
        shows = await castle.signed_in(await castle.agent())
        assert (await castle.ask("POST", "/console/settings/away", by=shows, json={"away": True})).status == 200
        link = castle.links.preferences("anna", castle.desk.clock())
        assert (await castle.ask("POST", f"{link}/none", data={})).status == 303

        async def all_sealed() -> bool:
            verdicts = [await verify(castle.store, kind) for kind in ACTED]
            return all(verdict.rows and not verdict.waiting for verdict in verdicts)

        await until(all_sealed)
        assert [(await verify(castle.store, kind)).broken for kind in ACTED] == [(), ()]
        await castle.store.change("consents", {"profile": "anna"}, {"$set": {"change": "given"}})
        await castle.store.remove("audit", {"by": "agent"})
        assert "was changed" in (await verify(castle.store, "consents")).broken[0]
        assert "was removed" in (await verify(castle.store, "audit")).broken[0]
    assert "seals.sealed kind=audit number=1" in castle.log.getvalue()
