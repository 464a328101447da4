chat={{ url }}
json='Content-Type: application/json'
field() { python3 -c "import json, sys; print(json.load(sys.stdin)$1)"; }

# Start: the key is all you keep.
key=$(curl -s $chat/api/v1/sessions -H "$json" -d '{"widget": "{{ widget }}"}' | field '["key"]')

# Connect: the flow begins; we get a connection key for the rest.
token=$(curl -s $chat/participant/connection -H "X-Amz-Bearer: $key" -H "$json" \
  -d '{"Type": ["WEBSOCKET", "CONNECTION_CREDENTIALS"]}' |
  field '["ConnectionCredentials"]["ConnectionToken"]')

# Speak, and read. Without a socket, ask for the transcript now and then.
curl -s $chat/participant/message -H "X-Amz-Bearer: $token" -H "$json" \
  -d '{"ContentType": "text/plain", "Content": "Hello"}'
curl -s $chat/participant/transcript -H "X-Amz-Bearer: $token" -H "$json" \
  -d '{"SortOrder": "ASCENDING"}'

# Leave. The session key still reads the chat for a day.
curl -s -X DELETE $chat/api/v1/session -H "X-Amz-Bearer: $key"
curl -s "$chat/api/v1/session/transcript?format=txt" -H "X-Amz-Bearer: $key"
