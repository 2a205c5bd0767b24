"""The API's route for short addresses of campaigns, as posters and packages carry them."""

from typing import Any

from admin import api_bodies as bodies
from admin import api_schemas as shapes
from admin.api_route import Call, Refused, Reply, Route
from admin.codes import new_code, why_not
from admin.schema import Problem


async def create_code(call: Call) -> Reply:
    """Make a short address that leads where the caller says."""
    if wrong := why_not(call.body["target"]):
        raise Refused("invalid", faults=(Problem("/target", wrong),))
    code = await new_code(call.desk.store, call.body["campaign"], call.body["target"], by=call.key.actor, now=call.now)
    address = f"{call.desk.public_url}/q/{code.id}"
    made: dict[str, Any] = {"code": code.id, "campaign": code.campaign, "target": code.target, "address": address,
                            "picture": f"{address}.svg"}  # fmt: skip
    return Reply(201, made)


ROUTES = (
    Route("POST", "/codes", create_code, "rules:write", "Make a short address for a poster or a QR code.",
          "Créer une adresse courte pour une affiche ou un code QR.", shapes.CODE, status=201, body=bodies.CODE_IN,
          repeats_safely=True),
)  # fmt: skip
