const chat = "{{ url }}";

async function call(method, path, key, body) {
  const answer = await fetch(chat + path, {
    method,
    headers: { "Content-Type": "application/json", ...(key && { "X-Amz-Bearer": key }) },
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error((await answer.json()).detail); // says what to do
  return answer.status === 204 ? null : answer.json();
}

// Keep the key (localStorage): it opens this chat again after a reload.
const { key } = await call("POST", "/api/v1/sessions", null, {
  widget: "{{ widget }}",
  displayName: "Ada",
  clientToken: crypto.randomUUID(), // repeat it when you retry: one chat is started
});

const { ConnectionCredentials, Websocket } = await call("POST", "/participant/connection", key, {
  Type: ["WEBSOCKET", "CONNECTION_CREDENTIALS"],
});
const token = ConnectionCredentials.ConnectionToken;

// Listen. Each frame holds one item; a later frame with the same Id is a newer version of it.
const items = new Map();
const socket = new WebSocket(Websocket.Url);
socket.onopen = () => socket.send('{"topic":"aws/subscribe","content":{"topics":["aws/chat"]}}');
socket.onmessage = ({ data }) => {
  const frame = JSON.parse(data);
  if (frame.topic !== "aws/chat") return;
  const item = JSON.parse(frame.content); // a JSON string inside JSON: parse twice
  items.set(item.Id, item);
  if (item.Type === "MESSAGE") console.log(item.DisplayName, item.Content);
};
setInterval(() => socket.send('{"topic":"aws/heartbeat"}'), 10_000);

await call("POST", "/participant/message", token, {
  ContentType: "text/plain",
  Content: "Hello",
  ClientToken: crypto.randomUUID(), // the same for sends: it is said once
});
