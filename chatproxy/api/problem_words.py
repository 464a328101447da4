"""When each problem happens, for the page its ``type`` leads to; what to do stands in the table."""

WHEN: dict[str, str] = {
    "malformed-body": "The body is not JSON, or not a JSON object.",
    "invalid-fields": "A field is missing, unknown or out of bounds. `errors` points at each: "
    "a JSON pointer, and what is wrong there.",
    "origin-not-allowed": "The page's `Origin` is not on the widget's list. It must match "
    "exactly: scheme, host and port. `null` never does.",
    "widget-not-found": "No widget has this key, or it is switched off.",
    "challenge-failed": "The site asks for a challenge (captcha, proof of work) before a chat is "
    "started, and `challenge` does not answer it.",
    "rate-limited": "Too many starts from one address, too many requests with one key, or the "
    "widget's chats are used up: those of a day, or those open at one time.",
    "upstream-throttled": "The Connect instance's quota is used up for the moment; it is shared "
    "by all chats.",
    "session-key-invalid": "The key is missing, unknown, revoked or expired, or it is of the other "
    "kind: CreateParticipantConnection and `/api/v1/session` take the session key, the rest of "
    "`/participant/` the connection key.",
    "chat-ended": "The chat is over. The session key still reads it for a while.",
    "message-refused": "Amazon Connect, or we in its place, refused what was sent: a field out of "
    "bounds, a content type the chat does not take, a receipt for an unknown message.",
    "conflict": "It can't be done in the chat's present state, such as completing the same upload "
    "twice at once.",
    "quota-exceeded": "A fixed number is reached: attachments in a chat, or live chats of the "
    "instance.",
    "not-found": "Nothing is at this address, or no view has this token.",
    "upstream-timeout": "Amazon Connect did not answer in time. What was asked may have been done "
    "all the same.",
    "upstream-misconfigured": "Amazon Connect does not know the instance or flow a chat should be "
    "started with, or does not take our credentials.",
    "upstream-failed": "Amazon Connect could not be reached, failed, or gave an answer that can't "
    "be right.",
    "storage-unavailable": "Our database can't be reached, or another writer keeps it too long.",
    "host-not-allowed": "The `Host` header names an address this proxy does not answer to.",
    "method-not-allowed": "The address exists, but not for this method; `Allow` names those it "
    "has.",
    "body-too-large": "The body is longer than 262,144 bytes, or 4,096 for "
    "CreateParticipantConnection.",
    "internal-error": "A mistake of ours. `instance` finds it in the log.",
    "overloaded": "More requests at once than this process takes on.",
}
