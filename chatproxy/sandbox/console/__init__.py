"""The agent console: a page where a person answers the sandbox's chats as the agent."""
