"""The travel bot's custom actions: everything a Rasa bot of some age does to its forms."""

from rasa_sdk import Action, FormValidationAction
from rasa_sdk.events import AllSlotsReset, FollowupAction, SlotSet


class ActionNote(Action):
    def name(self):
        return "action_note"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text=f"note {tracker.get_slot('note')}")
        return [SlotSet("note", "n"), SlotSet("size", None), SlotSet("topping", None)]


class ActionClear(Action):
    def name(self):
        return "action_clear"

    def run(self, dispatcher, tracker, domain):
        return [AllSlotsReset()]


class ActionRaise(Action):
    def name(self):
        return "action_raise"

    def run(self, dispatcher, tracker, domain):
        raise RuntimeError("on purpose")


class ActionFollowup(Action):
    def name(self):
        return "action_followup"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="go")
        return [SlotSet("size", None), FollowupAction("utter_faq")]


class ValidateTravelForm(FormValidationAction):
    def name(self):
        return "validate_travel_form"

    async def required_slots(self, domain_slots, dispatcher, tracker, domain):
        return [*domain_slots, "seats"] if tracker.get_slot("to_city") == "rome" else domain_slots

    def validate_from_city(self, value, dispatcher, tracker, domain):
        if value == "nowhere":
            dispatcher.utter_message(text="no such city")
            return {"from_city": None}
        return {"from_city": value}

    def validate_to_city(self, value, dispatcher, tracker, domain):
        if value == tracker.get_slot("from_city"):
            dispatcher.utter_message(text="same")
            return {"to_city": None, "from_city": None}
        return {"to_city": value}
