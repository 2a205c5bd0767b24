"""The pages of the inbox: the list, one conversation with its person, and the pieces that a page's script asks for."""

from dataclasses import dataclass

from aiohttp import web

from admin import agents, inbox, timeline
from admin.canned import Canned, all_canned
from admin.composer import Showing, showing
from admin.desk import DESK, Desk
from admin.frame import frame
from admin.guard import agent_of
from admin.inbox import STATUSES, VIEWS, Listed, Wanted
from admin.pages import at, fragment, page
from admin.paging import key_of
from admin.people import Person, person, read_profile, threads_of
from admin.roles import may
from admin.timeline import Stretch
from profiles.conversation import Conversation
from profiles.profile import Profile
from profiles.record import from_document


@dataclass(frozen=True, slots=True)
class Opened:
    """All that the conversation pane shows."""

    conversation: Conversation
    profile: Profile
    person: Person
    stretch: Stretch
    threads: tuple[Conversation, ...]
    """This person's conversations on all channels, the latest first."""
    showing: Showing
    canned: tuple[Canned, ...]
    has_drafts: bool
    """Whether a language model may propose a reply."""


@may("self")
async def home(request: web.Request) -> web.Response:
    """Send everybody to where their work is."""
    agent, desk = agent_of(request), request.config_dict[DESK]
    if agent.may("converse"):
        raise web.HTTPSeeOther(at("inbox", "mine"))
    raise web.HTTPSeeOther(at("rules") if desk.rules and agent.may("rules") else at("people"))


@may("converse")
async def show_inbox(request: web.Request) -> web.Response:
    """Show a view of the inbox, with a conversation open when its address names one."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    wanted = _wanted(request)
    id = request.match_info.get("id")
    opened = await open_conversation(desk, id) if id else None
    if opened:
        await inbox.see_mentions(desk.store, agent.id, opened.conversation.id, desk.clock())
    return page(
        request,
        "inbox.html",
        wanted=wanted,
        listed=await inbox.page(desk.store, wanted, agent=agent.id),
        opened=opened,
        is_missing=bool(id and not opened),
        agents=await agents.everyone(desk.store),
        **await frame(desk, agent),
    )


@may("converse")
async def show_rows(request: web.Request) -> web.Response:
    """Give one page of a list: its rows, and where the next begins."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    wanted = _wanted(request)
    listed: Listed = await inbox.page(desk.store, wanted, agent=agent.id, after=key_of(request.query.get("after")))
    known = await agents.everyone(desk.store)
    return fragment(request, "_rows.html", listed=listed, wanted=wanted, agents=known)


@may("converse")
async def show_conversation(request: web.Request) -> web.Response:
    """Give the conversation pane and the panel beside it."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    opened = await _opened(request)
    await inbox.see_mentions(desk.store, agent.id, opened.conversation.id, desk.clock())
    return fragment(request, "_opened.html", opened=opened, agents=await agents.everyone(desk.store))


@may("converse")
async def show_head(request: web.Request) -> web.Response:
    """Give what changes with a conversation's owner and status: its head and its composer's notices."""
    opened = await _opened(request, with_timeline=False)
    return fragment(request, "_head.html", opened=opened, agents=await agents.everyone(request.config_dict[DESK].store))


@may("converse")
async def show_panel(request: web.Request) -> web.Response:
    """Give the panel with what we know of the person."""
    opened = await _opened(request, with_timeline=False)
    known = await agents.everyone(request.config_dict[DESK].store)
    return fragment(request, "_panel.html", profile=opened.profile, person=opened.person, agents=known)


@may("people")
async def show_timeline(request: web.Request) -> web.Response:
    """Give the items of a person's timeline before one place, or from one place on."""
    desk = request.config_dict[DESK]
    profile = await read_profile(desk, request.match_info["id"])
    if profile is None:
        raise web.HTTPNotFound
    before = timeline.place_from(request.query.get("before"))
    after = timeline.place_from(request.query.get("after"))
    found = await timeline.stretch(desk.store, profile, before=before, after=after)
    reads = {thread.id: thread.customer_read_seq for thread in await threads_of(desk, profile)}
    known = await agents.everyone(desk.store)
    return fragment(request, "_stretch.html", stretch=found, profile=profile, agents=known, reads=reads)


async def open_conversation(desk: Desk, id: str, *, with_timeline: bool = True) -> Opened | None:
    """Return a conversation with its person, or None if there is none by this id."""
    document = await desk.store.get("conversations", id)
    conversation = from_document(Conversation, document) if document else None
    profile = await read_profile(desk, conversation.profile) if conversation else None
    if conversation is None or profile is None:
        return None
    stretch = await timeline.stretch(desk.store, profile) if with_timeline else Stretch((), None)
    return Opened(
        conversation,
        profile,
        await person(desk, profile),
        stretch,
        await threads_of(desk, profile),
        showing(desk.channels, conversation, profile),
        await all_canned(desk.store),
        desk.drafts is not None,
    )


async def _opened(request: web.Request, *, with_timeline: bool = True) -> Opened:
    found = await open_conversation(request.config_dict[DESK], request.match_info["id"], with_timeline=with_timeline)
    if found is None:
        raise web.HTTPNotFound
    return found


def _wanted(request: web.Request) -> Wanted:
    view, status = request.match_info["view"], request.query.get("status", "open")
    channel = request.query.get("channel") or None
    if view not in VIEWS or status not in STATUSES:
        raise web.HTTPNotFound
    return Wanted(view, status, channel[:40] if channel else None)
