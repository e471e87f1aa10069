"""What follows for all answers? The ruleset as formulas: claims proved or refuted by a patient, versions compared.

    logic       truth values and formulas, folded while they are built
    patient     one patient as unknowns of the solver: for every question its state and its value
    conditions  a condition tree as the outcomes it can still have
    outcome     everything that a decision says, as formulas
    solving     questions to the solver, within a budget of time
    replay      a patient whom the solver found, put to the real evaluators
    claims      when a claim holds: by kind, the formulas that no patient can satisfy
    prover      all claims of a ruleset, and the certificate
    difference  one patient on whom two rulesets differ, or the proof that there is none
    dimensions  what a decision says, aspect by aspect, as values that exclude each other
    diff        every way in which two versions differ, with an example of each
    rewritten   what differs between two versions as they are written
    exact       whether a record is settled, without the bound that `decide` uses

Nothing here shares code with the evaluators of `decide`: the three are held against each other.
"""
