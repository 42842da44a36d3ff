"""Tests of commands on events."""
