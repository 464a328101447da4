"""Carries upstream events to browsers: one link per session, fanned out to its tabs."""
