"""Mail and messages that come in, in one form whoever brought them. Pure: no I/O, no clock."""
