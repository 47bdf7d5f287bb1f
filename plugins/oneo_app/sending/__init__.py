"""Sending what is queued for people outside: by whoever has the means, at most once each.

A message is claimed in one transaction, sent outside of any, and what became of it is noted in another. Whoever is
killed in between leaves it `sending`; after a while it counts as `unknown`, and nobody but a person sends it again.
"""
