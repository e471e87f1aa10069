"""The interview page: questions that a person answers in a browser, screen by screen, and the decision at the end.

`state` reads the form and writes what it carries on, `entries` reads what was filled in on one screen, `walk` says what
comes next, `telling` asks the service for the decision, `pages` writes the page, `routes` is the wire. It decides
nothing: questions and their order come from `engine.decide.interview`, the decision from the service.
"""
