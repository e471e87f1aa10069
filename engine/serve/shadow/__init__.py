"""What would a candidate have decided? Asked beside each decision, counted, and told to nobody who is treated.

comparing     one outcome against another: same, stricter, milder, different
feeding       from a worker to its shadow process: never waited for; lost for good when the process dies or hangs
process       the shadow process: candidates, loaded and checked like any ruleset
"""
