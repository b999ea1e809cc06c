"""What was measured, as values; ratios, targets and the report that are made of them."""
