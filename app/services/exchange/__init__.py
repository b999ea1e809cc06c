"""Data on its way out of a site and into one: files and databases behind one small interface."""
