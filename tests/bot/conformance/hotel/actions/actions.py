"""The hotel's custom actions: what a Rasa bot of some age does to its forms and slots."""

from rasa_sdk import Action, FormValidationAction
from rasa_sdk.events import (
    ConversationPaused,
    FollowupAction,
    SlotSet,
)


class AskNights(Action):
    def name(self):
        return "action_ask_nights"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text=f"How many nights, {tracker.get_slot('room_kind')}?")
        return []


class AskSeats(Action):
    def name(self):
        return "action_ask_taxi_form_seats"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="How many seats?", buttons=[{"title": "2", "payload": '/inform{"number":2}'}])
        return []


class AskGuest(Action):
    def name(self):
        return "action_ask_guest"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="never said: action_ask_guest")
        return []


class Price(Action):
    def name(self):
        return "action_price"

    def run(self, dispatcher, tracker, domain):
        nights = tracker.get_slot("nights")
        dispatcher.utter_message(text="Prices start at 50." if nights is None else f"{nights} nights have a price.")
        return []


class Book(Action):
    def name(self):
        return "action_book"

    def run(self, dispatcher, tracker, domain):
        visits = (tracker.get_slot("visits") or 0) + 1
        dispatcher.utter_message(text=f"Booked, visit {visits}.")
        return [
            SlotSet("visits", visits),
            *(SlotSet(name, None) for name in ("room_kind", "nights", "guest", "breakfast", "breakfast_hour")),
        ]


class BookTaxi(Action):
    def name(self):
        return "action_book_taxi"

    def run(self, dispatcher, tracker, domain):
        taxi = [tracker.get_slot(name) for name in ("pickup", "dropoff", "seats")]
        dispatcher.utter_message(text=f"Taxi {taxi[0]} - {taxi[1]}, {taxi[2]} seats.")
        return [SlotSet("pickup", None), SlotSet("dropoff", None), SlotSet("seats", None)]


class Human(Action):
    def name(self):
        return "action_human"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="A colleague will answer.")
        return [ConversationPaused()]


class Forget(Action):
    def name(self):
        return "action_forget"

    def run(self, dispatcher, tracker, domain):
        return [SlotSet(name, None) for name in ("room_kind", "nights", "guest", "began_with")]


class Break(Action):
    def name(self):
        return "action_break"

    def run(self, dispatcher, tracker, domain):
        raise RuntimeError("on purpose")


class Again(Action):
    def name(self):
        return "action_again"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(response="utter_explain")
        return [SlotSet("guest", None), SlotSet("language_said", "fr"), FollowupAction("utter_wifi")]


class ValidateRoomForm(FormValidationAction):
    def name(self):
        return "validate_room_form"

    async def required_slots(self, domain_slots, dispatcher, tracker, domain):
        extra = ["breakfast_hour"] if tracker.get_slot("breakfast") is True else []
        return domain_slots + extra

    def validate_nights(self, value, dispatcher, tracker, domain):
        try:
            nights = int(value)
        except (TypeError, ValueError):
            nights = 0
        if not 1 <= nights <= 30:
            dispatcher.utter_message(text="Between 1 and 30 nights.")
            return {"nights": None}
        return {"nights": nights}

    def validate_guest(self, value, dispatcher, tracker, domain):
        if value in ("nobody", "stop"):
            dispatcher.utter_message(text="A guest needs a name.")
            return {"guest": None}
        if value == "the boss":
            return {"guest": "Boss", "room_kind": "suite"}
        if value == "no one at all":
            return {"guest": None, "requested_slot": None}
        if value == "ask breakfast":
            return {"guest": "someone", "requested_slot": "breakfast"}
        return {"guest": value}


class ValidateTaxiForm(FormValidationAction):
    def name(self):
        return "validate_taxi_form"

    def validate_dropoff(self, value, dispatcher, tracker, domain):
        if value == tracker.get_slot("pickup"):
            dispatcher.utter_message(text="That is where you are.")
            return {"dropoff": None}
        return {"dropoff": value}

    async def validate_seats(self, value, dispatcher, tracker, domain):
        if value == 99:
            dispatcher.utter_message(text="That is a train.")
            return {"seats": None, "pickup": None}
        return {"seats": value}
