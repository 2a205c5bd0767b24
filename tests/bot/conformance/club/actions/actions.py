"""The reading club's custom actions: they set the slots that its stories branch on."""

from rasa_sdk import Action
from rasa_sdk.events import AllSlotsReset, FollowupAction, SlotSet


class Pay(Action):
    def name(self):
        return "action_pay"

    async def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text=f"Paid for the {tracker.get_slot('thing')}.")
        return [SlotSet("paid", True)]


class Level(Action):
    """Goes round: none yet, silver, gold, none yet ..."""

    def name(self):
        return "action_level"

    def run(self, dispatcher, tracker, domain):
        following = {None: "none_yet", "none_yet": "silver", "silver": "gold", "gold": "none_yet"}
        return [SlotSet("level", following[tracker.get_slot("level")])]


class ForgetBook(Action):
    def name(self):
        return "action_forget_book"

    def run(self, dispatcher, tracker, domain):
        return [AllSlotsReset()]


class Subscribed(Action):
    def name(self):
        return "action_subscribed"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text=f"{tracker.get_slot('email')} gets it {tracker.get_slot('often')}.")
        return [SlotSet("subscribed", True), SlotSet("email", None), SlotSet("often", None)]


class Score(Action):
    def name(self):
        return "action_score"

    def run(self, dispatcher, tracker, domain):
        heard = [event for event in tracker.events if event["event"] == "user"]
        dispatcher.utter_message(text="Well done." if heard else "Nobody spoke.")
        return [FollowupAction("utter_bye")]
