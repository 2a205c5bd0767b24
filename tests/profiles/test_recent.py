"""What this process remembers saves reads, and is never believed against the database."""

from dataclasses import replace

from profiles.conversation import Conversation
from profiles.plan import Group
from profiles.profile import Profile
from profiles.recent import Recent
from profiles.record import to_document
from profiles.snapshot import Changes, Work
from profiles.store import Store
from tests.profiles.works import Commands, gives, hears
from tests.world import NOON

KEY = "telegram:42"


async def read(recent: Recent, *works: Work) -> Group:
    group = Group(NOON, "p1")
    await recent.read(works, group)
    return group


async def put(store: Store, *profiles: Profile, keys: dict[str, str] | None = None) -> None:
    for profile in profiles:
        await store.insert("profiles", to_document(replace(profile, version=1)))
    for key, profile_id in (keys or {}).items():
        await store.insert("identities", {"_id": key, "profile": profile_id})


async def test_a_key_brings_the_profile_behind_it(store: Store) -> None:
    await put(store, Profile("P1", NOON, language="fr"), keys={KEY: "P1"})
    group = await read(Recent(store), hears(1))
    holder = group.snapshot().holder(KEY)
    assert holder is not None
    assert holder.language == "fr"


async def test_a_merged_profile_brings_the_one_it_became(store: Store) -> None:
    chain = [Profile("P1", NOON, merged_into="P2"), Profile("P2", NOON, merged_into="P3"), Profile("P3", NOON)]
    await put(store, *chain, keys={KEY: "P1"})
    group = await read(Recent(store), hears(1))
    holder = group.snapshot().holder(KEY)
    assert holder is not None
    assert holder.id == "P3"


async def test_a_conversation_brings_its_profile(store: Store) -> None:
    await put(store, Profile("P1", NOON))
    await store.insert("conversations", to_document(Conversation(KEY, "P1", "telegram", "42", NOON)))
    group = await read(Recent(store), hears(1))
    assert group.snapshot().profile("P1") is not None


async def test_what_was_learned_is_not_read_again(mongo_url: str, database_name: str) -> None:
    commands = Commands()
    store = Store(mongo_url, database_name, listeners=[commands])
    await put(store, Profile("P1", NOON), keys={KEY: "P1"})
    recent = Recent(store)
    group = await read(recent, gives(None, identities=(KEY,)))
    group.keep(Changes(profiles=(replace(group.profiles["P1"], language="fr"),)))
    group.plan()
    recent.learn(group)
    commands.seen.clear()
    again = await read(recent, gives(None, identities=(KEY,)))
    assert not commands.seen
    assert again.profiles["P1"].language == "fr"
    assert again.profiles["P1"].version == 2, "the version that the database has after the commit"
    await store.close()


async def test_what_was_forgotten_is_read_again(store: Store) -> None:
    await put(store, Profile("P1", NOON), keys={KEY: "P1"})
    recent = Recent(store)
    group = await read(recent, hears(1))
    recent.learn(group)
    await store.change("profiles", {"_id": "P1"}, {"$set": {"language": "de"}})
    recent.forget(group)
    assert (await read(recent, hears(1))).profiles["P1"].language == "de"


async def test_one_record_that_another_process_changed_is_forgotten(store: Store) -> None:
    await put(store, Profile("P1", NOON), keys={KEY: "P1"})
    recent = Recent(store)
    recent.learn(await read(recent, hears(1)))
    await store.change("profiles", {"_id": "P1"}, {"$set": {"language": "de"}})
    recent.forget_one("profiles", "P1")
    assert (await read(recent, hears(1))).profiles["P1"].language == "de"


async def test_a_released_key_is_forgotten(store: Store) -> None:
    await put(store, Profile("P1", NOON), keys={KEY: "P1"})
    recent = Recent(store)
    group = await read(recent, gives(None, identities=(KEY,)))
    recent.learn(group)
    group.keep(Changes(releases=(KEY,)))
    recent.learn(group)
    await store.remove("identities", {"_id": KEY})
    assert (await read(recent, hears(1))).snapshot().holder(KEY) is None


async def test_memory_is_bounded_and_keeps_the_latest(mongo_url: str, database_name: str) -> None:
    commands = Commands()
    store = Store(mongo_url, database_name, listeners=[commands])
    recent = Recent(store, remembered=10)
    for number in range(30):
        group = Group(NOON, "p1")
        group.keep(Changes(profiles=(Profile(f"P{number}", NOON),)))
        recent.learn(group)
    commands.seen.clear()
    await read(recent, gives(None, profiles=tuple(f"P{number}" for number in range(20, 30))))
    assert not commands.seen
    await read(recent, gives(None, profiles=("P19",)))
    assert commands.seen["find"] == 1
    await store.close()


async def test_what_a_work_brings_along_saves_the_read_and_is_not_remembered(store: Store) -> None:
    await put(store, Profile("P1", NOON, language="fr"))
    brought = Profile("P1", NOON, language="en", version=1)
    recent = Recent(store)
    group = await read(recent, Work(gives(Changes()).think, profiles=("P1",), seen=(brought,)))
    assert group.profiles["P1"] is brought
    recent.learn(group)
    again = await read(recent, Work(gives(Changes()).think, profiles=("P1",)))
    assert again.profiles["P1"].language == "fr"


async def test_what_a_work_brings_along_is_nothing_beside_what_is_remembered(store: Store) -> None:
    await put(store, Profile("P1", NOON, language="fr"))
    recent = Recent(store)
    recent.learn(await read(recent, Work(gives(Changes()).think, profiles=("P1",))))
    stale = Profile("P1", NOON, language="en", version=1)
    group = await read(recent, Work(gives(Changes()).think, profiles=("P1",), seen=(stale,)))
    assert group.profiles["P1"].language == "fr"


async def test_what_a_work_brings_along_and_changes_is_remembered(mongo_url: str, database_name: str) -> None:
    commands = Commands()
    store = Store(mongo_url, database_name, listeners=[commands])
    brought = Profile("P1", NOON, language="en", version=1)
    recent = Recent(store)
    group = await read(recent, Work(gives(Changes()).think, profiles=("P1",), seen=(brought,)))
    group.keep(Changes(profiles=(replace(brought, language="fr"),)))
    group.plan()
    recent.learn(group)
    assert (await read(recent, gives(None, profiles=("P1",)))).profiles["P1"].language == "fr"
    assert not commands.seen
    await store.close()


async def test_a_record_that_is_said_to_be_new_is_not_looked_for(mongo_url: str, database_name: str) -> None:
    commands = Commands()
    store = Store(mongo_url, database_name, listeners=[commands])
    key = ("runs", "r1")
    await read(Recent(store), gives(None, records=(key,), fresh=frozenset({key})))
    assert not commands.seen
    await store.close()


async def test_who_seizes_believes_nobody(store: Store) -> None:
    await put(store, Profile("P1", NOON, language="fr"))
    recent, group = Recent(store), Group(NOON, "p1")
    brought = Profile("P1", NOON, language="en", version=1)
    await recent.read([gives(None, profiles=("P1",), seen=(brought,))], group, seize=True)
    assert (group.profiles["P1"].language, group.profiles["P1"].version) == ("fr", 2)


async def test_what_was_learned_of_a_group_that_failed_later_is_forgotten(store: Store) -> None:
    """It was written, others went ahead upon it, and then the disk did not have it."""
    recent, group = Recent(store), Group(NOON, "p1")
    thread = Conversation(KEY, "P1", "telegram", "42", NOON)
    group.keep(Changes(profiles=(Profile("P1", NOON),), conversations=(thread,), claims={KEY: "P1"}))
    group.plan()
    recent.learn(group)
    recent.forget(group)
    again = await read(recent, gives(None, profiles=("P1",), conversations=(KEY,), identities=(KEY,)))
    assert not (again.profiles or again.conversations or again.identities)


async def test_who_released_a_key_in_vain_reads_again_whose_it_is(store: Store) -> None:
    await put(store, Profile("P1", NOON), Profile("P2", NOON), keys={KEY: "P1"})
    recent = Recent(store)
    recent.learn(await read(recent, gives(None, identities=(KEY,))))
    await store.change("identities", {"_id": KEY}, {"$set": {"profile": "P2"}})
    group = await read(recent, gives(None, identities=(KEY,)))
    group.keep(Changes(releases=(KEY,)))
    recent.forget(group)
    assert (await read(recent, gives(None, identities=(KEY,)))).identities == {KEY: "P2"}


async def test_where_others_write_too_one_may_ask_afresh(store: Store) -> None:
    await put(store, Profile("P1", NOON, language="fr"))
    recent = Recent(store)
    recent.learn(await read(recent, gives(None, profiles=("P1",))))
    await store.change("profiles", {"_id": "P1"}, {"$set": {"language": "de"}})

    async def language(*, afresh: bool) -> str | None:
        profile = await recent.profile("P1", afresh=afresh)
        return profile.language if profile else None

    assert await language(afresh=True) == "fr", "nobody else writes"
    recent.is_shared = True
    assert (await language(afresh=False), await language(afresh=True)) == ("fr", "de")


async def test_who_was_here_last_is_remembered_longest(mongo_url: str, database_name: str) -> None:
    commands = Commands()
    store = Store(mongo_url, database_name, listeners=[commands])
    recent = Recent(store, remembered=2)
    for number in (0, 1, 2):
        group = Group(NOON, "p1")
        group.keep(Changes(profiles=(Profile(f"P{number}", NOON),)))
        recent.learn(group)
        assert await recent.profile("P0") is not None
    assert not commands.seen
    await store.close()
