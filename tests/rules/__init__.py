"""Tests of the rules room: from text to a checked ruleset."""
