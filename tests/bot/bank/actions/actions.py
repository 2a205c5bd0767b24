"""Custom actions of flows, as anybody would write them against rasa_sdk."""

from rasa_sdk import Action, ValidationAction
from rasa_sdk.events import SlotSet


class ActionSendMoney(Action):
    def name(self):
        return "action_send_money"

    async def run(self, dispatcher, tracker, domain):
        left = tracker.get_slot("balance") - tracker.get_slot("amount")
        return [SlotSet("sent", True), SlotSet("balance", left)]


class ValidateIban(ValidationAction):
    def name(self):
        return "validate_iban"

    async def required_slots(self, domain_slots, dispatcher, tracker, domain):
        return ["iban"]

    async def extract_iban(self, dispatcher, tracker, domain):
        return {}

    def validate_iban(self, value, dispatcher, tracker, domain):
        if value.startswith("FR"):
            return {"iban": value.replace(" ", "")}
        dispatcher.utter_message(response="utter_bad_iban")
        return {"iban": None}


class ActionAskCard(Action):
    def name(self):
        return "action_ask_card"

    async def run(self, dispatcher, tracker, domain):
        waiting = ", ".join(frame["flow_id"] for frame in tracker.stack)
        dispatcher.utter_message(text=f"Asked within {waiting}")
        dispatcher.utter_message(response="utter_which_card")
        return []
