"""A club's custom actions: each uses the person behind the tracker in another way."""

from rasa_sdk import Action
from rasa_sdk.events import SlotSet

from bot.sdk import profile


class Join(Action):
    def name(self):
        return "action_join"

    async def run(self, dispatcher, tracker, domain):
        person = profile(tracker)
        refused = await person.update({"member_since": "2026-11-21", "points": 100, "id": "forged"})
        await person.tag("club", "new")
        await person.consent("club", given=True, wording="I want to join the club")
        await person.note("Joined by the bot.")
        dispatcher.utter_message(text=f"Welcome! refused: {sorted(refused)}")
        return []


class Points(Action):
    def name(self):
        return "action_points"

    async def run(self, dispatcher, tracker, domain):
        return [SlotSet("points", await profile(tracker).get("points", 0))]


class Leave(Action):
    """A plain `run` that returns a coroutine: it runs in a thread, on a loop of its own."""

    def name(self):
        return "action_leave"

    def run(self, dispatcher, tracker, domain):
        return self._leave(dispatcher, profile(tracker))

    async def _leave(self, dispatcher, person):
        await person.untag("club", "new")
        await person.update({"member_since": None})
        facts = await person.facts()
        dispatcher.utter_message(text=f"Bye: {facts['attributes'].get('tags')} {facts['channels']}")
        return []


class Expert(Action):
    def name(self):
        return "action_expert"

    async def run(self, dispatcher, tracker, domain):
        await profile(tracker).handover("Wants the expert on saddles.", team="saddles")
        return []


class Remember(Action):
    def name(self):
        return "action_remember"

    async def run(self, dispatcher, tracker, domain):
        for number in range(30):
            await profile(tracker).update({f"fact_{number}": number})
        return []
