"""Floor 3: what every door shares. Only `context` reads Flask's proxies for services, owner and request."""
