"""Speaks Amazon Connect, and knows no Django: REST client, websocket topics, governor."""
