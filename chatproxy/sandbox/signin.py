"""The page an AuthenticationUrl leads to: sign in or decline, then back to the RedirectUri.

Stands in for the identity provider's hosted page. Declining here counts as a failed sign-in;
cancelling in the chat itself is CancelParticipantAuthentication.
"""

from html import escape
from urllib.parse import parse_qs, urlencode

from chatproxy.sandbox.center import Center
from chatproxy.sandbox.contacts import Authentication, Contact
from chatproxy.sandbox.web import Answer, Request
from chatproxy.upstream.vocabulary import EventType

PATH = "/sign-in"
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action *",
    "Referrer-Policy": "no-referrer",
}
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in</title>
<style>
 body {{ font: 16px/1.5 system-ui; max-width: 22rem; margin: 12vh auto; padding: 0 1rem }}
 input, button {{ font: inherit; padding: .5rem .75rem; width: 100%; box-sizing: border-box }}
 button {{ margin-top: .75rem }}
</style>
<h1>Sign in</h1>
<p>This page stands in for your identity provider.</p>
<form method="post" action="{action}">
 <label>Your name <input name="name" value="Jane Doe" autocomplete="name" required></label>
 <button name="choice" value="yes">Sign in</button>
 <button name="choice" value="no" formnovalidate>Decline</button>
</form>
"""


def answer(center: Center, request: Request) -> Answer:
    """Show the page, or take its form and go back to where the customer came from."""
    session_id = request.query.get("state", "")
    redirect_uri = request.query.get("redirect_uri", "")
    found = _find(center, session_id)
    if found is None or not _leads_to_the_web(redirect_uri):
        return Answer(
            404, dict(_HEADERS), b"<!doctype html><title>Gone</title>This sign-in is over."
        )
    if request.method != "POST":
        action = f"{PATH}?{urlencode({'redirect_uri': redirect_uri, 'state': session_id})}"
        return Answer(200, dict(_HEADERS), _PAGE.format(action=escape(action)).encode())
    form = parse_qs(request.body.decode("utf-8", "replace"))
    outcome = _decide(center, *found, form)
    mark = "&" if "?" in redirect_uri else "?"
    return Answer(303, {"Location": f"{redirect_uri}{mark}{urlencode(outcome)}"})


def _leads_to_the_web(uri: str) -> bool:
    return uri.startswith(("https://", "http://")) and uri.isascii() and uri.isprintable()


def _find(center: Center, session_id: str) -> tuple[Contact, Authentication] | None:
    for contact in center.live_contacts():
        authentication = contact.authentications.get(session_id)
        if authentication is not None and authentication.outcome is None:
            return contact, authentication
    return None


def _decide(
    center: Center, contact: Contact, authentication: Authentication, form: dict[str, list[str]]
) -> dict[str, str]:
    session_id = authentication.session_id
    if form.get("choice") != ["yes"]:
        center.finish_authentication(contact, session_id, EventType.AUTHENTICATION_FAILED)
        return {"error": "access_denied", "state": session_id}
    center.finish_authentication(contact, session_id, EventType.AUTHENTICATION_SUCCEEDED)
    name = form.get("name", [""])[0].strip()[:256]
    if name:
        center.rename(contact, contact.customer, name)
    return {"code": "sandbox", "state": session_id}
