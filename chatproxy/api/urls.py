"""HTTP routes of the doors."""

from django.urls import path

from chatproxy.api import (
    connection,
    leaving,
    metrics,
    openapi,
    pages,
    participant,
    signals,
    transcript,
)
from chatproxy.api.reference import api

urlpatterns = [
    path("participant/connection", connection.create_participant_connection),
    path("participant/message", participant.send_message),
    path("participant/event", signals.send_event),
    path("participant/transcript", transcript.get_transcript),
    path("participant/disconnect", leaving.disconnect_participant),
    path("participant/start-attachment-upload", participant.start_attachment_upload),
    path("participant/complete-attachment-upload", participant.complete_attachment_upload),
    path("participant/attachment", participant.get_attachment),
    path("participant/views/<path:view_token>", participant.describe_view),
    path("participant/authentication-url", participant.get_authentication_url),
    path("participant/cancel-authentication", participant.cancel_participant_authentication),
    path("api/docs", pages.reference),
    path("api/docs/problems", pages.problem_types),
    path("api/v1/openapi.json", openapi.openapi_json),
    path("api/v1/", api.urls),
    path("metrics", metrics.metrics),
]
