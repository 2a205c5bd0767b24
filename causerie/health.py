"""Can this server keep its promise right now? /health says so to a load balancer, /metrics tells Prometheus how it fares.

Ready means: a majority write was committed within 2 seconds, no more than a second ago. Nothing less would do, because a
message may only be acknowledged when it is on disk. Put neither path on the open internet; a proxy can keep them inside.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from causerie.metrics import Metrics
from channels.outbound import BackDoor
from profiles.calendar import Clock, utc_now
from profiles.store import Store, Unavailable
from profiles.writer import Writer

log = logging.getLogger("causerie.health")

COMMIT_WITHIN_SECONDS = 2.0
TRUST_FOR_SECONDS = 1.0


class Health:
    """Answers for one process: whether it is ready, and its figures."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        back_door: BackDoor,
        *,
        clock: Clock = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.metrics = Metrics(store, writer, back_door, clock=clock)
        writer.listen(self.metrics.hear)
        self._store, self._clock, self._monotonic = store, clock, monotonic
        self._probe: asyncio.Task[str | None] | None = None
        self._verdict: str | None = None
        self._trusted_until = float("-inf")
        self._stopping = False

    def stop(self) -> None:
        """Say from now on that this process is about to go: nobody new should be sent here."""
        self._stopping = True

    async def objection(self) -> str | None:
        """Return None when this server is ready, else why it is not. However many ask, one write is under way at a time."""
        if self._stopping:
            return "stopping"
        if self._monotonic() < self._trusted_until:
            return self._verdict
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._commit(), name="health")
        done, _ = await asyncio.wait([self._probe], timeout=COMMIT_WITHIN_SECONDS)
        self._settle(self._probe.result() if done else "database_slow")
        return self._verdict

    async def _commit(self) -> str | None:
        try:
            await self._store.change("health", {"_id": "probe"}, {"$set": {"at": self._clock()}}, upsert=True)
        except Unavailable as error:
            log.debug("health.probe failed reason=%s", error)
            return "database_unavailable"
        return None

    def _settle(self, verdict: str | None) -> None:
        if verdict != self._verdict:
            log.warning("health.not_ready reason=%s", verdict) if verdict else log.info("health.ready_again")
        self._verdict = verdict
        self._trusted_until = self._monotonic() + TRUST_FOR_SECONDS


def health_routes(health: Health) -> list[web.RouteDef]:
    """Return the routes of GET /health (200 or 503 with the reason) and GET /metrics (Prometheus text)."""

    async def ready(_: web.Request) -> web.Response:
        reason = await health.objection()
        body = {"status": "unavailable", "reason": reason} if reason else {"status": "ready"}
        return web.json_response(body, status=503 if reason else 200, headers={"Cache-Control": "no-store"})

    async def figures(_: web.Request) -> web.Response:
        return web.Response(body=await health.metrics.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [web.get("/health", ready), web.get("/metrics", figures)]
