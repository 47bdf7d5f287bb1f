"""Mailboxes that are read over IMAP: each mail becomes an event, once."""
