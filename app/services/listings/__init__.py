"""What administrators look up: lists that can be searched, filtered, sorted, paged through and taken away."""
