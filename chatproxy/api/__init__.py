"""The browser's doors: REST, websocket, health; one access policy for all of them."""
