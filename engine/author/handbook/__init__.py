"""The handbook that a clinician signs: one HTML page that says all of a ruleset, and nothing that it does not say.

The way through: `gather` reads a folder into a `content.Handbook` (the ruleset, and what was proved, covered and
changed); `opening`, `asked`, `deciding`, `shown`, `assurance` and `paper` make its sections; `page` puts them together.
`markup` makes HTML, `words` holds the fixed words in Dutch and English, `conditions` puts a condition into words and
into attributes by one walk, so that what a person reads and what a test reads are the same.
"""
