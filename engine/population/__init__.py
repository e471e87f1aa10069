"""A whole population: every row of an input decided, compared or simulated, on one machine or a cluster.

    rows        what goes in and comes out, row by row: the words of this room
    sources     which source an input is, by how it is written
    files       the files of an input, here or in object storage
    tables      Parquet and CSV as input
    fhir        FHIR Bulk Data as input
    recorded    the decision log as input
    model       what a simulated population is like; model_shape and model_tests read its file
    simulated   simulated patients as input
    deciding    a decision or every reason against it for each row: `pluis batch`
    impact      two versions of the rules on the same rows: `pluis impact`; impact_run reads and runs, impact_told and
                impact_page tell it
    protecting  small numbers, and what they could be worked out of, are not told
    outcome     what became of simulated patients: `pluis simulate`
    running     a task over all chunks of a source, on Daft's local engine or on Ray
    writing     parts, rejects, manifest and summary

The way through: a Source cuts an input into chunks of a fixed size and reads them; a Task makes of the rows of a chunk
records, rejects and counts; `running.run` brings them together in many processes, and writes. What is written follows
from input, rules and task alone.
"""
