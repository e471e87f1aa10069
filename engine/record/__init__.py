"""What was decided, and can we show it? The decision log.

    entry       one decision as it is kept: its bytes, and the chain that they form
    sealing     who can read it: keys, and what is sealed with them
    subject     what may refer to a person
    place       where its files are
    tables      the tables, and how older ones become them
    databases   what SQLite and PostgreSQL both promise
    sqlite      one file per writer in a folder
    postgres    one database for all writers
    queries     what is asked of one database
    store       entries in all of them: appended by one, read by everybody
    writer      recorded before it is answered: many calls, one durable write
    composing   what goes into one write: sealed, chained, each request once
    checkpoint  signed points of the chain, outside the database
    verify      every way in which a log can have been changed, found and named
    reading     an entry opened, or why it cannot be
    replay      decided again: the same bytes, or what another version would have decided
    exporting   for other programs
    feedback    what people did with a decision
    upkeep      erased, purged, and keys rotated; the log says so itself
    backup      all of it in one file, and back

The clear part of an entry says when, by which version and for whom a decision was made; answers and outcome are sealed.
"""
