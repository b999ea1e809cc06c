"""Each check, with what it is about really broken."""
