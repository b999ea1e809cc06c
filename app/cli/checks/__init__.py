"""What `vitrine doctor` looks at, one module a matter; none of them changes anything."""
