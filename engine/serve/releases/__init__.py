"""Which rulesets are active: copies that passed every check, kept side by side, so that one can be gone back to.

copying  what of the folder of rulesets counts, and how it is copied
gate     is this folder fit to be served? asked in a process of its own
release  the copies on disk, and which of them is active
loading  from a release to the snapshot that a worker answers from
watching whether the folder of rulesets has changed
"""
