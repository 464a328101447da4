// Amazon's own library, unmodified: name our endpoint, and hand it startChatResult.
connect.ChatSession.setGlobalConfig({ endpoint: "{{ url }}", region: "us-west-2" });

const answer = await fetch("{{ url }}/api/v1/sessions", {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ widget: "{{ widget }}", displayName: "Ada" }),
});
const { startChatResult } = await answer.json();

const session = connect.ChatSession.create({ chatDetails: startChatResult, type: "CUSTOMER" });
session.onMessage(({ data }) => console.log(data.ParticipantRole, data.Content));
await session.connect();
await session.sendMessage({ contentType: "text/plain", message: "Hello from ChatJS" });
