"""Amazon Connect in a box: an emulator of the chat service, run as its own process."""
