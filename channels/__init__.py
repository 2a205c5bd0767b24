"""EDGES: one file per channel turns a provider's wire format into Inbound, Outbound and Receipt."""
