"""Custom actions as anybody would write them against rasa_sdk."""

import asyncio
import threading

from rasa_sdk import Action, FormValidationAction
from rasa_sdk.events import ConversationPaused, SlotSet

from actions.prices import price_of


class ActionPrice(Action):
    def name(self):
        return "action_price"

    async def run(self, dispatcher, tracker, domain):
        tracker.slots["size"] = "changed by the action"  # its own copy: nobody may notice
        sent = [event["text"] for event in tracker.events if event["event"] == "bot"]
        dispatcher.utter_message(
            text=f"I said {len(sent)} things before", buttons=[{"title": "Pay", "payload": "/bye"}]
        )
        return [SlotSet("price", price_of(tracker.latest_message, tracker.get_slot("topping")))]


class ActionCrash(Action):
    def name(self):
        return "action_crash"

    async def run(self, dispatcher, tracker, domain):
        raise RuntimeError("the kitchen is on fire")


class ActionSlow(Action):
    def name(self):
        return "action_slow"

    async def run(self, dispatcher, tracker, domain):
        await asyncio.sleep(60)


class ActionBlock(Action):
    """Holds its thread, as a plain request to a slow server would."""

    def name(self):
        return "action_block"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text=f"in thread {threading.current_thread().name}")
        return []


class ActionCallPerson(Action):
    def name(self):
        return "action_call_person"

    async def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="A person will come")
        return [ConversationPaused()]


class ValidatePizzaForm(FormValidationAction):
    def name(self):
        return "validate_pizza_form"

    async def required_slots(self, domain_slots, dispatcher, tracker, domain):
        return [*domain_slots, "extra_cheese"] if tracker.get_slot("size") == "large" else domain_slots

    def validate_topping(self, value, dispatcher, tracker, domain):
        if "pineapple" in value:
            dispatcher.utter_message(text="No pineapple here")
            return {"topping": None}
        return {"topping": value.lower()}

    def validate_extra_cheese(self, value, dispatcher, tracker, domain):
        return {"extra_cheese": str(value).lower().startswith("y")}
