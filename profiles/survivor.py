"""Who is this person now? A profile that was merged away points to the one that it became."""

from profiles.profile import Profile
from profiles.record import from_document
from profiles.store import Store

LONGEST_CHAIN = 10  # merges; a loop in them would be a mistake, not a reason to hang


async def survivor(store: Store, id: str) -> Profile | None:
    """Return the profile, or the one that it became; None when there is none any more."""
    for _ in range(LONGEST_CHAIN):
        document = await store.get("profiles", id)
        if document is None:
            return None
        profile = from_document(Profile, document)
        if profile.merged_into is None:
            return profile
        id = profile.merged_into
    return None
