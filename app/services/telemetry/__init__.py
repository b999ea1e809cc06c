"""What a site tells of itself: numbers for Prometheus, sums for the dashboard, traces for a collector."""
