"""Pythons, and the oldest and newest of every dependency."""
