"""One row per embedded widget: its configuration, its admin, its loader and demo pages."""
