"""Routes by subject; each module has a `router` with the whole path below `/oneo`."""
