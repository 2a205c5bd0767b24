"""The actions of the bot that a real Rasa server plays in tests."""

from rasa_sdk import Action
from rasa_sdk.events import ConversationPaused

from bot.sdk import profile


class ActionPerson(Action):
    def name(self):
        return "action_person"

    async def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="A person will come")
        return [ConversationPaused()]


class ActionMute(Action):
    def name(self):
        return "action_mute"

    async def run(self, dispatcher, tracker, domain):
        return []


class ActionWho(Action):
    """Says what reached it: the channel, our metadata, and the profile behind the conversation."""

    def name(self):
        return "action_who"

    async def run(self, dispatcher, tracker, domain):
        metadata = tracker.latest_message.get("metadata", {})
        person = await profile(tracker).facts()
        told = f"{tracker.get_latest_input_channel()} {metadata.get('language')} {person['channels']}"
        dispatcher.utter_message(text=told)
        return []


class ActionCrash(Action):
    def name(self):
        return "action_crash"

    async def run(self, dispatcher, tracker, domain):
        raise RuntimeError("on fire")


class ActionExpert(Action):
    """Gives the conversation to people by the profile's helper."""

    def name(self):
        return "action_expert"

    async def run(self, dispatcher, tracker, domain):
        await profile(tracker).handover("Wants the expert.")
        return []
