"""ANSWERS: the dialogue engine that runs Rasa project folders, and the handover to people."""
