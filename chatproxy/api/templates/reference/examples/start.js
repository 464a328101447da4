const chat = "{{ url }}", headers = { "Content-Type": "application/json" };
const post = async (path, key, body) => (await fetch(chat + path, { method: "POST", headers: { ...headers, "X-Amz-Bearer": key }, body: JSON.stringify(body) })).json();
const { key } = await post("/api/v1/sessions", "", { widget: "{{ widget }}" });
const { ConnectionCredentials, Websocket } = await post("/participant/connection", key, { Type: ["WEBSOCKET", "CONNECTION_CREDENTIALS"] });
const said = await post("/participant/message", ConnectionCredentials.ConnectionToken, { ContentType: "text/plain", Content: "Hello" });
