"""Guides and sign-in: DescribeView, GetAuthenticationUrl, CancelParticipantAuthentication."""

from urllib.parse import urlencode

from chatproxy.sandbox.calls import Call, invalid
from chatproxy.sandbox.contacts import Authentication, Wire
from chatproxy.sandbox.wire import ServiceError
from chatproxy.upstream.vocabulary import EventType


def describe_view(call: Call) -> Wire:
    token = call.members["ViewToken"]
    view = call.center.views.get(token)
    if view is None:
        raise ServiceError(
            "ResourceNotFoundException",
            "The view was not found",
            ResourceId=token,
            ResourceType="CONTACT_FLOW",
        )
    return {"View": view}


def get_authentication_url(call: Call) -> Wire:
    authentication = _open_authentication(call)
    age_s = call.center.clock.now() - authentication.initiated_at
    if age_s > call.center.options.authentication_url_s:
        raise invalid("The authentication session has expired")
    query = urlencode(
        {"redirect_uri": call.members["RedirectUri"], "state": authentication.session_id}
    )
    return {"AuthenticationUrl": f"{call.center.files.base_url}/sign-in?{query}"}


def cancel_participant_authentication(call: Call) -> Wire:
    authentication = _open_authentication(call)
    call.center.finish_authentication(
        call.contact, authentication.session_id, EventType.AUTHENTICATION_CANCELLED
    )
    return {}


def _open_authentication(call: Call) -> Authentication:
    authentication = call.contact.authentications.get(call.members["SessionId"])
    if authentication is None or authentication.outcome is not None:
        raise invalid("SessionId is not an open authentication session of this chat")
    return authentication
